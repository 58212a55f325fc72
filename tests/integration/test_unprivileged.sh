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

# The host's own sums say nothing of what no package owns: only what was seen first can.
in_shell() { # COMMAND
	lab exec web001 sh -c "$1"
}

what_was_read_first_is_the_reference() {
	in_shell 'mkdir -p /opt/tool && echo one >/opt/tool/run && touch -d @1700000000 /opt/tool/run && mkdir /root/kept && echo one >/root/kept/file'
	rm -f "$work"/muster.db*
	check "$work/night1" --format ndjson --fail-on never
	"$here/expect.py" "$work/night1" none unowned.changed
	in_shell 'echo two >/opt/tool/run; echo new >/etc/cron.d/new'
	check "$work/night2" --format ndjson
	"$here/expect.py" "$work/night2" finding /opt/tool/run unowned.changed low
	"$here/expect.py" "$work/night2" finding /etc/cron.d/new unowned.appeared medium
	grep '"path":"/opt/tool/run"' "$work/night2" | grep -q '"witness":"first-sight"' || fail 'its witness is not named'
	check "$work/night3" --format ndjson
	"$here/expect.py" "$work/night3" finding-any /opt/tool/run unowned.changed
	"$here/expect.py" "$work/night3" finding-any /etc/cron.d/new unowned.appeared
	"$here/expect.py" "$work/night3" no-new
}

what_changed_before_is_not_told_again() {
	local items
	items=$(in_db "SELECT coalesce(sum(items), 0) FROM timeline WHERE run = (SELECT max(id) FROM run)")
	[ "$items" -le 5 ] || fail "$items items of the timeline were sent again"
}

in_db() { # SQL
	python3 -c 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])' \
		"$work/muster.db" "$1"
}

rights_gained_and_lost_do_not_begin_it_again() {
	code=0
	"$muster" check root@web001 --config "$work/muster.yaml" --format ndjson >"$work/root" 2>"$work/root.err" || code=$?
	"$here/expect.py" "$work/root" state findings
	"$here/expect.py" "$work/root" finding-any /opt/tool/run unowned.changed
	"$here/expect.py" "$work/root" finding-any /etc/cron.d/new unowned.appeared
	! grep '"path":"/root/' "$work/root" | grep unowned.appeared || fail 'what is read for the first time has not appeared'
	in_shell 'echo two >/root/kept/file'
	check "$work/plain" --format ndjson
	"$here/expect.py" "$work/plain" state partial
	"$here/expect.py" "$work/plain" finding-any /opt/tool/run unowned.changed
	"$muster" check root@web001 --config "$work/muster.yaml" --format ndjson >"$work/root" || true
	"$here/expect.py" "$work/root" finding /root/kept/file unowned.changed low
}

what_is_put_back_is_resolved() {
	in_shell 'echo one >/opt/tool/run; touch -d @1700000000 /opt/tool/run; echo one >/root/kept/file; rm /etc/cron.d/new'
	check "$work/back" --format ndjson
	! grep '"path":"/opt/tool/run"' "$work/back" | grep unowned.changed || fail 'what was put back is still told'
	"$here/expect.py" "$work/back" silent /etc/cron.d/new
}

nothing_is_left_behind() {
	local left
	left=$(lab exec web001 find /tmp /var/tmp /dev/shm /run -user plain)
	[ -z "$left" ] || fail "left on the host: $left"
}

run raise the_host_is_partial_and_never_clean each_check_that_could_not_be_done_is_named what_can_be_seen_is_judged \
	what_was_read_first_is_the_reference what_changed_before_is_not_told_again \
	rights_gained_and_lost_do_not_begin_it_again what_is_put_back_is_resolved nothing_is_left_behind
