#!/bin/bash
# SPDX-License-Identifier: MIT
# `muster doctor` before hosts that cannot be scanned, each in its own state; and `muster sudoers` before a real sudo:
# what the rule allows, and what it does not.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lab/testlib.sh
. "$here/../lab/testlib.sh"
muster=${MUSTER_BIN:-$here/../../build/dev/bin}/muster
export HOME=$work XDG_CONFIG_HOME=$work XDG_STATE_HOME=$work NO_COLOR=1

doctor() { # EXPECTED_CODE WORDS OPTION...: the output holds the words
	local expected=$1 words=$2 code=0
	shift 2
	"$muster" doctor --config "$work/muster.yaml" "$@" >"$work/out" 2>"$work/err" || code=$?
	[ "$code" -eq "$expected" ] || fail "doctor $*: exit $code, not $expected: $(cat "$work/out" "$work/err")"
	grep -qF -- "$words" "$work/out" || fail "doctor $*: without '$words': $(cat "$work/out")"
	echo "  $words"
}

raise() {
	lab up 3
	cat >"$work/muster.yaml" <<-YAML
		inventory: $lab_dir/inventory.yaml
		db: $work/muster.db
		ssh:
		  identity: $lab_dir/id_ed25519
		  known_hosts: $lab_dir/known_hosts
	YAML
}

hosts_that_are_ready() {
	doctor 0 '3 of 3 hosts ready, 0 of them without root' 'root@web[001-003]'
	doctor 0 '1 of 1 host ready' ops@web001
	[ ! -e "$work/muster.db" ] || fail 'doctor made a database'
}

each_hindrance_has_its_name() {
	doctor 3 'no-sudo' plain@web001
	doctor 3 'not root, so that a scan will be partial' plain@web001 --become none
	doctor 3 'auth-failed' nobody@web001
	doctor 3 'refused' web001:1
	doctor 3 'name-unknown' nowhere.invalid
	: >"$work/empty"
	doctor 3 'key-unknown' web002 --known-hosts "$work/empty"
	doctor 2 'No such file' web002 --identity "$work/none"
	lab exec web003 mount -o remount,noexec /run
	lab exec web003 sh -c 'mount -t tmpfs -o noexec t /dev/shm && mount -t tmpfs -o noexec t /var/tmp &&
		mount -t tmpfs -o noexec t /tmp && mount --bind /root /root && mount -o remount,bind,noexec /root'
	doctor 3 'no-place' web003
}

clones_are_told() {
	lab exec web001 cat /etc/machine-id | lab exec web002 sh -c 'cat >/etc/machine-id'
	doctor 0 'it has the machine-id of web001: a clone?' web001 web002 --parallel 1
}

as_plain() { # COMMAND...: the status of `sudo -n COMMAND` as the user
	on plain@web001 "sudo -n $*" >"$work/said" 2>&1
}

the_rule_allows_the_probe_alone() {
	"$muster" sudoers --user plain >"$work/sudoers"
	lab exec web001 sh -c 'umask 337; cat >/etc/sudoers.d/muster && visudo -cq' <"$work/sudoers" ||
		fail "visudo refuses the rule: $(cat "$work/sudoers")"
	doctor 0 'uid 0' plain@web001 --become pinned
	"$muster" check plain@web001 --become pinned --config "$work/muster.yaml" --fail-on never --format ndjson >"$work/run" ||
		fail "check by the rule ended with $?"
	"$here/expect.py" "$work/run" counts
	# shellcheck disable=SC2046
	set -- $(sed -n '/dev.shm/{s/^ *sha256:[0-9a-f]* //;s/, .$//;p;q}' "$work/sudoers")
	[ "$1" = /dev/shm/.muster-plain/probe ] || fail "the rule names $1"
	on plain@web001 'mkdir -m 700 /dev/shm/.muster-plain && cp /bin/sh /dev/shm/.muster-plain/probe'
	! as_plain "$@" || fail 'another program in its place was run'
	! as_plain /bin/sh || fail '/bin/sh was run'
	on plain@web001 'rm -r /dev/shm/.muster-plain'
}

the_arguments_are_part_of_it() {
	local probe
	probe=$("$muster" doctor localhost --become none --db "$work/x" | sed -n "s/^ *ok *probe-$(uname -m) *//p")
	on plain@web001 'mkdir -m 700 /dev/shm/.muster-plain'
	lab exec web001 sh -c 'cat >/dev/shm/.muster-plain/probe && chmod 755 /dev/shm/.muster-plain/probe' <"$probe"
	! as_plain /dev/shm/.muster-plain/probe --stdio --self /etc/shadow || fail 'other arguments were allowed'
	lab exec web001 test -s /etc/shadow || fail '/etc/shadow is gone'
	! as_plain /dev/shm/.muster-plain/probe || fail 'no arguments were allowed'
	on plain@web001 'rm -r /dev/shm/.muster-plain'
}

what_the_rule_does_not_allow_is_removed() {
	lab exec web001 sed -i 's/sha256:..../sha256:0000/' /etc/sudoers.d/muster
	doctor 3 'no-sudo' plain@web001 --become pinned
	local left
	left=$(lab exec web001 find /tmp /var/tmp /dev/shm -user plain)
	[ -z "$left" ] || fail "left on the host: $left"
}

digests_are_for_lists() {
	"$muster" version --probes >"$work/probes"
	(cd "$(dirname "$muster")" && sha256sum --quiet -c "$work/probes") || fail 'sha256sum does not agree'
	echo "  $(wc -l <"$work/probes") digests"
}

run raise hosts_that_are_ready each_hindrance_has_its_name clones_are_told the_rule_allows_the_probe_alone \
	the_arguments_are_part_of_it what_the_rule_does_not_allow_is_removed digests_are_for_lists
