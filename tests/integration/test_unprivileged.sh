#!/bin/bash
# SPDX-License-Identifier: MIT
# `muster check` as a user without rights on the host, and no sudo: what can be seen is judged, and each check that could
# not be done is named. Never clean.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lab/testlib.sh
. "$here/../lab/testlib.sh"
muster=${MUSTER_BIN:-$here/../../build/dev/bin}/muster
export HOME=$work XDG_CONFIG_HOME=$work XDG_STATE_HOME=$work NO_COLOR=1

check() { # OUT [OPTION...]: the exit code in $code
	local out=$1
	shift
	code=0
	"$muster" check plain@web001 --become none --config "$work/muster.yaml" "$@" >"$out" 2>"$out.err" || code=$?
}

raise() {
	lab up 1
	cat >"$work/muster.yaml" <<-YAML
		inventory: $lab_dir/inventory.yaml
		db: $work/muster.db
		ssh:
		  user: root
		  identity: $lab_dir/id_ed25519
		  known_hosts: $lab_dir/known_hosts
	YAML
}

the_host_is_partial_and_never_clean() {
	check "$work/first" --format ndjson --fail-on never
	[ "$code" -eq 3 ] || fail "exit $code, not 3: $(cat "$work/first.err")"
	"$here/expect.py" "$work/first" state partial
	"$here/expect.py" "$work/first" counts
}

each_check_that_could_not_be_done_is_named() {
	"$here/expect.py" "$work/first" gap tree /root denied
	"$here/expect.py" "$work/first" gap tree /var/spool/cron/crontabs denied
	"$here/expect.py" "$work/first" gap packages /var/lib/dpkg/lock lock-unknown
	"$here/expect.py" "$work/first" gap packages '' denied
	"$here/expect.py" "$work/first" gap setid /home/ops/.ssh denied
	"$here/expect.py" "$work/first" gap flags '' denied
	check "$work/text" --fail-on never
	grep -q '^INCOMPLETE' "$work/text" || fail "the text does not open with INCOMPLETE: $(head -n 1 "$work/text")"
	for word in 'flags: denied' 'packages: denied' 'packages: lock-unknown' 'setid: denied' 'tree: denied'; do
		grep -qF "$word" "$work/text" || fail "the text does not name $word"
	done
}

what_can_be_seen_is_judged() {
	lab exec web001 sh -s -- plant trojan <"$here/../lab/plant"
	check "$work/planted" --format ndjson
	[ "$code" -eq 1 ] || fail "exit $code, not 1"
	"$here/expect.py" "$work/planted" finding /usr/bin/login file.changed high
	"$here/expect.py" "$work/planted" state partial
}

nothing_is_left_behind() {
	local left
	left=$(lab exec web001 find /tmp /var/tmp /dev/shm /run -user plain)
	[ -z "$left" ] || fail "left on the host: $left"
}

run raise the_host_is_partial_and_never_clean each_check_that_could_not_be_done_is_named what_can_be_seen_is_judged \
	nothing_is_left_behind
