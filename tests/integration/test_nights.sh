#!/bin/bash
# SPDX-License-Identifier: MIT
# Nights of a fleet of three, as somebody new to muster comes to them: without a baseline, then with one, a host down. What
# a run reports is what the database keeps of it, word for word and with the same exit code.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lab/testlib.sh
. "$here/../lab/testlib.sh"
muster=${MUSTER_BIN:-$here/../../build/dev/bin}/muster
export HOME=$work XDG_CONFIG_HOME=$work XDG_STATE_HOME=$work NO_COLOR=1
printf '[user]\n\tname = Test\n\temail = test@localhost\n' >"$work/.gitconfig"

raise() {
	lab up 3
	cat >"$work/muster.yaml" <<-YAML
		inventory: $lab_dir/inventory.yaml
		db: $work/muster.db
		ssh:
		  user: root
		  identity: $lab_dir/id_ed25519
		  known_hosts: $lab_dir/known_hosts
	YAML
}

in_muster() { # OUT VERB...: the exit code in $code
	local out=$1
	shift
	code=0
	"$muster" "$@" --config "$work/muster.yaml" >"$out" 2>"$out.err" || code=$?
	[ "$code" -ne 2 ] || fail "muster $*: $(cat "$out.err")"
}

# A run, and what the database says of it. Findings of NDJSON are told as they come, so they are compared as a set.
baseline=()
night() { # VERB...
	local code_of_run
	in_muster "$work/run.json" "$@" "${baseline[@]}" --format ndjson -o "text:$work/run.txt"
	code_of_run=$code
	in_muster "$work/kept.json" show latest "${baseline[@]}" --format ndjson
	[ "$code" -eq "$code_of_run" ] || fail "muster $*: exit $code_of_run, and show latest: $code"
	in_muster "$work/kept.txt" show latest "${baseline[@]}"
	diff -u "$work/run.txt" "$work/kept.txt" || fail "muster $*: the report is not what show latest shows"
	for file in run kept; do
		"$here/expect.py" "$work/$file.json" findings | sort >"$work/$file.set"
	done
	diff -u "$work/run.set" "$work/kept.set" || fail "muster $*: the findings are not those of show latest"
}

plant() { # HOST CHANGE
	lab exec "$1" sh -s -- plant "$2" <"$here/../lab/plant"
}

the_first_nights_have_no_baseline() {
	night sweep
	plant web001 trojan
	night sweep
	grep -q $'web001\tfleet.differs\t/usr/bin/login\t' "$work/run.set" || fail 'one of three is not named'
}

what_most_hosts_have_changes_during_a_run() {
	plant web002 trojan
	plant web003 trojan
	night sweep
	! grep -q fleet.differs "$work/run.set" || fail 'nobody is the odd one any more, and it is reported'
}

then_some_have_a_baseline() {
	in_muster "$work/init" init "$work/baseline"
	in_muster "$work/capture" baseline capture web001 --baseline "$work/baseline"
	baseline=(--baseline "$work/baseline")
	night check web001 web002
	! grep -q 'not committed' "$work/run.json.err" || fail 'all is committed, and it says otherwise'
	in_muster "$work/status" status --baseline "$work/baseline"
	! grep -q 'has moved' "$work/status.err" || fail 'the baseline has not moved'
	echo '# a thought' >>"$work/baseline/muster.yaml"
	in_muster "$work/edited" check web001 --baseline "$work/baseline"
	grep -q 'baseline: muster.yaml differs from commit .* not committed, not counted' "$work/edited.err" ||
		fail "an edit that is not committed is not told: $(cat "$work/edited.err")"
	git -C "$work/baseline" commit -qam thought
	in_muster "$work/status" status --baseline "$work/baseline"
	grep -q 'the baseline has moved' "$work/status.err" || fail 'status does not say that the baseline has moved'
	night sweep
}

a_host_that_is_down_keeps_what_was_open() {
	lab stop web003
	night sweep --retries 0
	[ "$code" -eq 1 ] || fail "exit $code, not 1"
	grep -q $'web003\t.*\t/usr/bin/login\topen$' "$work/run.set" || fail 'what is open on a host that is down is not told'
	lab start web003
}

run raise the_first_nights_have_no_baseline what_most_hosts_have_changes_during_a_run then_some_have_a_baseline \
	a_host_that_is_down_keeps_what_was_open
