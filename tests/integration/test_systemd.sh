#!/bin/bash
# SPDX-License-Identifier: MIT
# The unit and the timer as they are installed, under a real systemd: it is PID 1 of namespaces of its own, with this
# machine's files below an overlay in memory, and sweeps a host of the lab. Needs root, a lab, systemd and cgroup2.
#
#	test_systemd.sh BUILD
set -euo pipefail
build=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
init=/lib/systemd/systemd
groups=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)
if [ ! -x $init ] || [ -z "$groups" ] || ! command -v cmake nsenter >/dev/null; then
	echo "SKIPPED: needs systemd (installed, not running), cgroup2, cmake and nsenter"
	exit 77
fi
# shellcheck source=tests/lab/testlib.sh
. "$here/../lab/testlib.sh"
group=$groups/muster-test.$$
machine=$work/machine

skip() {
	echo "SKIPPED: $*"
	exit 77
}

leave() {
	local rc=$?
	trap - EXIT
	set +e
	if [ -n "${outer:-}" ]; then
		kill -KILL "$outer" 2>/dev/null || true # --kill-child: PID 1 with it, and so all of them
		wait "$outer" 2>/dev/null || true
	fi
	for _ in {1..100}; do
		find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
		[ -d "$group" ] || break
		sleep 0.1
	done
	(exit $rc)
	finish
}
trap leave EXIT

# In namespaces of its own: makes the machine and becomes its PID 1.
become_init() {
	local root=$machine/root node name major minor
	mount -t tmpfs -o mode=755 none "$machine"
	mkdir "$machine/upper" "$machine/work" "$root"
	mount -t overlay -o "lowerdir=/,upperdir=$machine/upper,workdir=$machine/work" none "$root"
	DESTDIR=$root cmake --install "$build" >/dev/null
	# Nothing of what this machine starts, and its identity neither.
	rm -rf "$root/etc/systemd/system" "$root/etc/machine-id" "$root/var/log/journal" "$root/etc/muster" "$root/var/lib/muster"
	mkdir -p "$root/etc/systemd/system" "$root/etc/muster"
	: >"$root/etc/machine-id"
	for name in systemd-sysctl systemd-modules-load systemd-udevd systemd-udev-trigger systemd-random-seed \
		systemd-update-utmp systemd-hwdb-update systemd-binfmt; do
		ln -s /dev/null "$root/etc/systemd/system/$name.service"
	done
	for name in sys-kernel-debug sys-kernel-tracing sys-kernel-config sys-fs-fuse-connections dev-hugepages; do
		ln -s /dev/null "$root/etc/systemd/system/$name.mount"
	done
	cp -a "$work/etc/." "$root/etc/muster/"
	cd "$root"
	mount -t proc none proc
	mount --bind proc/sys proc/sys
	mount -o remount,bind,ro proc/sys
	mount -t sysfs -o ro none sys
	mount -t cgroup2 none sys/fs/cgroup
	mount -t tmpfs -o mode=755 none run
	mount -t tmpfs none tmp
	mount -t tmpfs -o mode=755 none dev
	mkdir dev/shm dev/pts
	for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
		IFS=: read -r name major minor <<<"$node"
		mknod -m 666 "dev/$name" c "$major" "$minor"
	done
	mount -t devpts -o newinstance,ptmxmode=0666 none dev/pts
	ln -s pts/ptmx dev/ptmx
	ln -s /proc/self/fd dev/fd
	mount -t tmpfs none dev/shm
	: >dev/console
	pivot_root . mnt
	umount -l /mnt
	exec chroot . env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin $init --system --unit=basic.target \
		--log-target=journal --show-status=no
}

inside() { nsenter --target "$pid" --mount --uts --ipc --pid --cgroup -- "$@"; }

# What the machine is made of may be forbidden here: in a container, by a kernel without overlays.
these_mounts_are_possible() {
	mkdir "$machine" 2>/dev/null || true
	mkdir "$group" 2>"$work/why" || skip "no control group can be made: $(cat "$work/why")"
	# shellcheck disable=SC2016 # the inner shell's
	unshare --mount --propagation private --pid --fork --uts --ipc --cgroup sh -euc '
		mount -t tmpfs none "$1"
		mkdir "$1/upper" "$1/work" "$1/root"
		mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" none "$1/root"
		mount -t proc none "$1/root/proc"
		mount -t sysfs -o ro none "$1/root/sys"
		mount -t cgroup2 none "$1/root/sys/fs/cgroup"' sh "$machine" 2>"$work/why" || skip "$(cat "$work/why")"
}

a_host_is_raised() {
	lab up 1
	mkdir "$work/etc"
	cp "$lab_dir/id_ed25519" "$lab_dir/known_hosts" "$work/etc/"
	cp "$lab_dir/inventory.yaml" "$work/etc/hosts.yaml"
	cat >"$work/etc/muster.yaml" <<-YAML
		inventory: hosts.yaml
		fail_on: low
		ssh: {user: root, identity: id_ed25519, known_hosts: known_hosts, config: none}
	YAML
	# A sanitizer's search for leaks traces the process, which the unit forbids.
	printf '%s\n' 'MUSTER_SWEEP_OPTIONS=-o prom:/var/lib/muster/muster.prom' 'ASAN_OPTIONS=detect_leaks=0' >"$work/etc/sweep.env"
}

systemd_starts_as_PID_1() {
	export -f become_init
	export machine build work init
	(
		echo $BASHPID >"$group/cgroup.procs"
		exec unshare --mount --propagation private --pid --fork --kill-child --uts --ipc --cgroup bash -euc become_init
	) >"$work/init" 2>&1 &
	outer=$!
	for _ in {1..1200}; do
		pid=$(pgrep -P "$outer" || true)
		if [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = systemd ] &&
			inside systemctl is-active --quiet basic.target 2>/dev/null; then
			break
		fi
		kill -0 "$outer" 2>/dev/null || skip "no machine: $(cat "$work/init")"
		sleep 0.1
	done
	inside systemctl is-active --quiet basic.target || skip "systemd does not come up: $(cat "$work/init")"
	[ "$(inside cat /proc/1/comm)" = systemd ] || fail 'PID 1 is none'
	inside /usr/local/bin/muster version >"$work/why" 2>&1 || skip "it does not start there: $(cat "$work/why")"
	inside systemd-sysusers
	inside chown -R root:muster /etc/muster
	inside chmod 750 /etc/muster
	inside chmod 640 /etc/muster/id_ed25519
	echo "  $(inside systemctl --version | head -n 1)"
}

# RESULT EXIT: of the unit's last run.
ended() {
	local got
	got=$(inside systemctl show -P Result muster-sweep.service)/$(inside systemctl show -P ExecMainStatus muster-sweep.service)
	[ "$got" = "$1/$2" ] || fail "it ended with $got, not $1/$2: $(inside journalctl -u muster-sweep --no-pager -n 40 2>&1)"
}

findings_are_no_failure() {
	# Who refers to a unit keeps its result from being forgotten.
	inside systemctl start muster-sweep.timer
	inside systemctl start muster-sweep.service || fail "it fails: $(inside journalctl -u muster-sweep --no-pager -n 40 2>&1)"
	ended success 1
	! inside systemctl is-failed --quiet muster-sweep.service || fail 'it is failed'
	[ "$(inside stat -c %U:%a /var/lib/muster/muster.db)" = muster:600 ] || fail 'the database is not its user'"'"'s alone'
	inside /usr/local/bin/muster show latest --db /var/lib/muster/muster.db --fail-on never >"$work/shown" || true
	grep -q '1 of 1 host' "$work/shown" || fail "the host was not looked at whole: $(cat "$work/shown")"
}

findings_reach_the_journal() {
	inside journalctl -o export MESSAGE_ID=4f1c2c5a6f8e4c0d9d0a3b7f5e1c8a26 >"$work/journal"
	for field in '^_SYSTEMD_UNIT=muster-sweep.service$' '^MUSTER_HOST=web001$' '^MUSTER_RULE=' '^MUSTER_FID='; do
		grep -q "$field" "$work/journal" || fail "no $field among $(grep -c ^MUSTER_RULE "$work/journal") records of findings"
	done
	inside journalctl -o export MESSAGE_ID=b8d7a0e35c6a4f6f8a2d1e9c7b405f13 >"$work/runs"
	grep -q '^MUSTER_VERDICT=findings' "$work/runs" || fail "no record of the run: $(cat "$work/runs")"
	echo "  $(grep -c ^MUSTER_RULE= "$work/journal") records of findings, $(grep -c ^MUSTER_VERDICT= "$work/runs") of a run"
}

metrics_are_written() {
	inside cat /var/lib/muster/muster.prom >"$work/prom"
	grep -q '^muster_hosts{kind="sweep",state="findings"} 1$' "$work/prom" || fail "$(cat "$work/prom")"
	grep -q '^muster_run_last_completion_timestamp_seconds{kind="sweep"} [1-9]' "$work/prom" || fail "$(cat "$work/prom")"
}

an_unreached_host_is_no_failure() {
	inside sh -c 'echo "hosts: {gone: {address: 127.0.0.1, port: 1}}" >/etc/muster/hosts.yaml'
	inside systemctl start muster-sweep.service
	ended success 3
}

a_broken_sweep_is_one() {
	inside sh -c 'cp /etc/muster/muster.yaml /tmp/kept && echo "nonsense: 1" >>/etc/muster/muster.yaml'
	! inside systemctl start muster-sweep.service 2>/dev/null || fail 'it starts'
	ended exit-code 2
	inside systemctl is-failed --quiet muster-sweep.service || fail 'it is not failed'
	inside cp /tmp/kept /etc/muster/muster.yaml
	inside systemctl reset-failed muster-sweep.service
}

the_timer_starts_it() {
	local before
	before=$(inside systemctl show -P InvocationID muster-sweep.service)
	inside sh -c 'mkdir -p /run/systemd/system/muster-sweep.timer.d && printf "[Timer]\nOnCalendar=\nOnActiveSec=1\nRandomizedDelaySec=0\nAccuracySec=1ms\n" >/run/systemd/system/muster-sweep.timer.d/soon.conf'
	inside systemctl daemon-reload
	inside systemctl start muster-sweep.timer
	for _ in {1..1200}; do
		[ "$(inside systemctl show -P InvocationID muster-sweep.service)" = "$before" ] || break
		sleep 0.1
	done
	[ "$(inside systemctl show -P InvocationID muster-sweep.service)" != "$before" ] || fail 'the timer starts nothing'
	inside systemctl stop muster-sweep.timer
	inside rm -r /run/systemd/system/muster-sweep.timer.d
	inside systemctl daemon-reload
	inside systemctl start muster-sweep.timer
	inside systemctl list-timers --no-pager muster-sweep.timer >"$work/timers"
	grep -q ' 02:[01][0-9]:' "$work/timers" || fail "not at two at night: $(cat "$work/timers")"
}

run these_mounts_are_possible a_host_is_raised systemd_starts_as_PID_1 findings_are_no_failure findings_reach_the_journal metrics_are_written \
	an_unreached_host_is_no_failure a_broken_sweep_is_one the_timer_starts_it
