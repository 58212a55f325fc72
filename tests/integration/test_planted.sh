#!/bin/bash
# SPDX-License-Identifier: MIT
# One host over real SSH against a baseline made from its own packages: clean before, and each change of tests/lab/plant
# found and named afterwards, one by one. Prints the table of what muster, dpkg -V and debsums say of the same host.
#
#   test_planted.sh [NAME...]       only these changes
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lab/testlib.sh
. "$here/../lab/testlib.sh"
muster=${MUSTER_BIN:-$here/../../build/dev/bin}/muster
plant=$here/../lab/plant
export HOME=$work XDG_CONFIG_HOME=$work XDG_STATE_HOME=$work NO_COLOR=1
printf "[user]\n\tname = Test\n\temail = test@localhost\n" >"$work/.gitconfig"

# shellcheck source=tests/integration/planted_expect.sh
. "$here/planted_expect.sh"

in_host() { # VERB NAME
	lab exec web001 sh -s -- "$@" <"$plant"
}

check() { # OUT [OPTION...]
	local out=$1 rc=0
	shift
	"$muster" check web001 --config "$work/muster.yaml" --format ndjson "$@" >"$out" 2>"$out.err" || rc=$?
	[ "$rc" -le 1 ] || [ "$rc" -eq 3 ] || {
		cat "$out.err" >&2
		fail "muster check ended with $rc"
	}
}

raise_and_record() {
	lab up 1
	cat >"$work/muster.yaml" <<-YAML
		inventory: $lab_dir/inventory.yaml
		baseline: $work/baseline
		db: $work/muster.db
		ssh:
		  user: root
		  identity: $lab_dir/id_ed25519
		  known_hosts: $lab_dir/known_hosts
	YAML
	lab exec web001 sh -s -- list <"$plant" >"$work/list"
	"$muster" init "$work/baseline" >"$work/init.out" || fail "init: $(cat "$work/init.out")"
	"$lab_program" cache >"$work/cache"
	install_debsums
	# shellcheck disable=SC2046
	"$muster" baseline import --baseline "$work/baseline" --origin Debian \
		"$(sed -n 's/^packages //p' "$work/cache")"/*.deb ${extra:+"$extra"/*.deb} >"$work/import.out" 2>&1 ||
		fail "import: $(tail -n 5 "$work/import.out")"
	tail -n 1 "$work/import.out"
}

# The peer is a package of the host like any other, so its files are judged too.
extra=
install_debsums() {
	extra=$("$lab_program" extra debsums) || {
		extra=
		echo '  debsums cannot be had here: its column stays empty'
		return
	}
	tar -C "$extra" -cf - --exclude=partial --exclude=lock . |
		lab exec web001 sh -c 'mkdir /tmp/extra && tar -C /tmp/extra -xf - &&
			DEBIAN_FRONTEND=noninteractive dpkg -i /tmp/extra/*.deb && rm -rf /tmp/extra' >"$work/debsums.log" 2>&1 ||
		fail "debsums: $(tail -n 5 "$work/debsums.log")"
}

a_host_equals_its_own_packages() {
	check "$work/first"
	"$here/expect.py" "$work/first" counts
	"$here/expect.py" "$work/first" quiet medium
}

capture_accepts_the_rest() {
	local name
	while IFS=$'\t' read -r name _ _; do
		in_host prepare "$name" 2>/dev/null
	done <"$work/list"
	check "$work/prepared"
	"$muster" baseline capture web001 --config "$work/muster.yaml" >"$work/capture.out" 2>&1 ||
		fail "capture: $(cat "$work/capture.out")"
	tail -n 3 "$work/capture.out"
	check "$work/second"
	"$here/expect.py" "$work/second" quiet medium
	"$here/expect.py" "$work/second" state clean
}

an_unchanged_night_costs_nothing() {
	sleep 2.1 # what changed within two seconds of its reading is read once more
	check "$work/third"
	check "$work/fourth"
	"$here/expect.py" "$work/fourth" no-new
	"$here/expect.py" "$work/fourth" bytes 2048
}

each_change_is_found_and_named() {
	local name path rules severity missed=0
	while IFS=$'\t' read -r name path _; do
		[ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
		in_host plant "$name"
		check "$work/out.$name"
		read -r rules severity <<<"$(expected "$name")"
		"$here/expect.py" "$work/out.$name" finding "$(subject "$name" "$path")" "$rules" "$severity" \
			>"$work/said.$name" || missed=$((missed + 1))
	done <"$work/list"
	[ "$missed" -eq 0 ] || fail "$missed changes were not found"
}

nothing_hostile_reaches_the_terminal() {
	"$muster" show web001 --config "$work/muster.yaml" >"$work/show" || [ $? -eq 1 ] || fail 'show failed'
	if LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$work/show"; then
		fail 'control bytes in the report'
	fi
	[ ! -s "$work/said.escape-name" ] || grep -qF 'up\033[2Jdate' "$work/show" || fail 'the odd name is not shown escaped'
}

# What a peer says of a path; its own words where it names it, a dash where it is silent. A package may name the same
# file as /bin/login.
peer_says() { # FILE PATH SUBJECT
	local line
	line=$(awk -v path="$2" -v subject="$3" '
		function names(word, of) { return of != "" && (word == of || "/usr" word == of) }
		{ for (i = 1; i <= NF; i++) if (names($i, path) || names($i, subject)) { print; exit } }' "$1")
	line=${line#debsums: }
	echo "${line:--}"
}

# All changes are planted by now; each peer looks once at the whole host.
table_beside_the_peers() {
	local name path said letters dpkg debsums caught=0 by_dpkg=0 by_debsums=0
	lab exec web001 dpkg -V >"$work/dpkg-V" 2>/dev/null || true
	lab exec web001 sh -c 'command -v debsums >/dev/null && debsums -ac 2>&1' >"$work/debsums" || true
	printf '  %-18s %-44s %-34s %s\n' change muster 'dpkg -V' 'debsums -ac'
	while IFS=$'\t' read -r name path _; do
		[ -s "$work/said.$name" ] || continue
		read -r said _ letters _ <"$work/said.$name"
		dpkg=$(peer_says "$work/dpkg-V" "$path" "$(subject "$name" "$path")")
		debsums=$(peer_says "$work/debsums" "$path" "$(subject "$name" "$path")")
		printf '  %-18s %-44s %-34s %s\n' "$name" "$said $letters" "$dpkg" "$debsums"
		caught=$((caught + 1))
		[ "$dpkg" = - ] || by_dpkg=$((by_dpkg + 1))
		[ "$debsums" = - ] || by_debsums=$((by_debsums + 1))
	done <"$work/list"
	echo "  found: muster $caught, dpkg -V $by_dpkg, debsums $by_debsums"
	# A peer that sees nothing at all did not run.
	[ "$caught" -lt 3 ] || [ "$by_dpkg" -gt 0 ] || fail 'dpkg -V said nothing of any change'
	[ "$caught" -lt 3 ] || [ -z "$extra" ] || [ "$by_debsums" -gt 0 ] || fail 'debsums said nothing of any change'
}

run raise_and_record a_host_equals_its_own_packages capture_accepts_the_rest an_unchanged_night_costs_nothing
echo '- each change is found and named'
each_change_is_found_and_named "$@"
# The ack names a group of the inventory; the run that meets it says so in text and NDJSON.
an_acknowledgement_is_told_with_its_reason() {
	local fid
	check "$work/before"
	fid=$("$here/expect.py" "$work/before" fid /usr/bin/wc file.changed)
	mkdir -p "$work/baseline/acks"
	cat >"$work/baseline/acks/group.yaml" <<-YAML
		- id: A-0007
		  rule: file.changed
		  path: /usr/bin/wc
		  finding: $fid
		  hosts: "@lab"
		  reason: CHG1234
		  until: $(date -u -d '+30 days' +%F)
	YAML
	git -C "$work/baseline" add acks && git -C "$work/baseline" commit -qm 'acks: by a group'
	check "$work/acked" -o "text:$work/acked.text"
	"$here/expect.py" "$work/acked" acked /usr/bin/wc A-0007 CHG1234
	grep -q '^  A-0007 until .*: CHG1234  1 finding on web001$' "$work/acked.text" ||
		fail "the text does not say what sets it aside: $(grep -A 3 'Set aside' "$work/acked.text")"
}

run nothing_hostile_reaches_the_terminal table_beside_the_peers
if [ -s "$work/said.chown" ]; then
	run an_acknowledgement_is_told_with_its_reason
fi
