#!/bin/bash
# SPDX-License-Identifier: MIT
# The lab keeps its promises: hosts answer, are apart from each other and from this machine, and nothing of them is left
# when it is taken down, even after the raiser was killed.
set -euo pipefail
# shellcheck source=tests/lab/testlib.sh
. "$(dirname "$0")/testlib.sh"

left_behind() { # mounts, loop devices and processes that name the lab's folder
	grep -F "$lab_dir/" /proc/self/mountinfo || true
	losetup -a | grep -F "$lab_dir/" || true
	pgrep -af "$lab_dir( |/|\$)" || true
}

hosts_answer_over_ssh() {
	lab up 2 --prefix alpha
	[ "$(on alpha001 hostname)" = alpha001 ] || fail 'alpha001 has another name'
	[ "$(on ops@alpha002 'sudo -n id -u')" = 0 ] || fail 'ops cannot sudo'
	! on plain@alpha002 'sudo -n id -u' 2>/dev/null || fail 'plain can sudo'
}

hosts_are_apart() {
	on alpha001 'echo changed >/usr/bin/planted && chattr +i /usr/bin/planted'
	! on alpha002 'test -e /usr/bin/planted' || fail 'a file of one host is on the other'
	[ ! -e /usr/bin/planted ] || fail 'a file of a host is on this machine'
	[ "$(lab exec alpha001 cat /usr/bin/planted)" = changed ] || fail 'exec sees another file'
	[ "$(cat "$(lab root alpha001)/usr/bin/planted")" = changed ] || fail 'root shows another file'
	[ "$(on alpha001 'ls -d /proc/[0-9]*' | wc -l)" -lt 20 ] || fail 'processes of this machine are seen'
	[ "$(cat "$lab_dir"/hosts/*/ssh_host_ed25519_key.pub | awk '{ print $2 }' | sort -u | wc -l)" = 2 ] ||
		fail 'host keys are shared'
}

files_outlive_a_restart() {
	lab stop alpha001
	! on alpha001 true 2>/dev/null || fail 'a stopped host answers'
	lab start alpha001
	[ "$(on alpha001 cat /usr/bin/planted)" = changed ] || fail 'the file is gone'
}

down_leaves_nothing() {
	lab down
	[ ! -e "$lab_dir" ] || fail "$lab_dir is still there"
	[ -z "$(left_behind)" ] || fail "left behind: $(left_behind)"
	lab down
}

down_works_after_the_raiser_was_killed() {
	setsid "$lab_program" up 8 --dir "$lab_dir" 2>/dev/null &
	raiser=$!
	until [ -e "$lab_dir/hosts/web001/pid" ] || ! kill -0 "$raiser" 2>/dev/null; do sleep 0.01; done
	kill -KILL "$raiser"
	wait "$raiser" 2>/dev/null || true
	lab down
	# A host that was still on its way up ends by itself, because its folder is gone.
	for _ in $(seq 100); do
		[ -n "$(left_behind)" ] || break
		sleep 0.05
	done
	[ -z "$(left_behind)" ] || fail "left behind: $(left_behind)"
}

down_refuses_a_foreign_folder() {
	mkdir -p "$work/mine"
	: >"$work/mine/file"
	"$lab_program" down --dir "$work/mine"
	[ -e "$work/mine/file" ] || fail 'down removed a folder that is no lab'
	! "$lab_program" up 1 --dir "$work/mine" 2>/dev/null || fail 'up took a folder with files in it'
}

overlay_shows_this_machine_without_its_private_files() {
	if [ ! -x /usr/sbin/sshd ] || ! command -v setfattr >/dev/null; then
		echo '  left out: no sshd or setfattr on this machine'
		return
	fi
	: >"$work/private"
	lab up 1 --root overlay --upper tmpfs
	cmp "$(lab root web001)/usr/bin/env" /usr/bin/env || fail 'a program differs'
	! on web001 "test -e $work/private" || fail 'the machine'"'"'s /tmp is seen'
	lab down
}

roots_of_other_file_systems() {
	local fs
	for fs in ext4 xfs btrfs; do
		if ! command -v "mkfs.$fs" >/dev/null || ! grep -qw "$fs" /proc/filesystems; then
			echo "  left out: $fs is not to be had here"
			continue
		fi
		lab up 1 --root minimal --fs "$fs"
		[ "$(on web001 stat -f -c %T /)" = "${fs/ext4/ext2/ext3}" ] || fail "the root is no $fs"
		lab down
	done
}

run hosts_answer_over_ssh hosts_are_apart files_outlive_a_restart down_leaves_nothing \
	down_works_after_the_raiser_was_killed down_refuses_a_foreign_folder \
	overlay_shows_this_machine_without_its_private_files roots_of_other_file_systems
