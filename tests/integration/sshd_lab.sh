# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced by tests that need a real sshd. Raises one in a mount namespace of its own, so that users, login shells and
# mounts of the test exist nowhere else. Sets $lab (a folder), $port; lab_down takes all of it away.

# Where no sshd is installed, scripts/setup unpacks one for the tests.
lab_deps=${MUSTER_DEPS:-$(cd "$(dirname "$0")/../.." && pwd)/build/deps}
PATH=$PATH:/usr/sbin:/sbin:$lab_deps/openssh

lab_skip() {
	echo "SKIPPED: $*"
	exit 77
}

# lab_need COMMAND...: all of them, or the test is skipped.
lab_need() {
	[ "$(id -u)" = 0 ] || lab_skip "needs root"
	for command; do
		command -v "$command" >/dev/null || lab_skip "needs $command"
	done
	unshare --mount --propagation private true 2>/dev/null ||
		lab_skip "needs a mount namespace, refused here (a container without CAP_SYS_ADMIN, a chroot?)"
}

lab_user() { # NAME SHELL [UID]
	lab_uid=$((lab_uid + 1))
	mkdir -p "$lab/home/$1"
	echo "$1:x:$lab_uid:$lab_uid::$lab/home/$1:$2" >>"$lab/passwd"
	echo "$1:x:$lab_uid:" >>"$lab/group"
	echo "$1:*:19000:0:99999:7:::" >>"$lab/shadow"
	chown "$lab_uid:$lab_uid" "$lab/home/$1"
	cp "$lab/authorized_keys" "$lab/keys.$1"
}

lab_new() {
	lab=$(mktemp -d /tmp/muster-lab.XXXXXX)
	chmod 755 "$lab"
	lab_uid=61000
	mkdir -p "$lab/home/root" "$lab/keys"
	for type in ed25519 ecdsa rsa; do
		ssh-keygen -q -t "$type" -N '' -C "host $type" -f "$lab/host_$type"
		ssh-keygen -q -t "$type" -N '' -C "user $type" -f "$lab/keys/$type"
	done
	cat "$lab"/keys/*.pub >"$lab/authorized_keys"
	cp "$lab/authorized_keys" "$lab/keys.root"
	sed "s|^root:.*|root:x:0:0:root:$lab/home/root:/bin/sh|" /etc/passwd >"$lab/passwd"
	grep -q '^sshd:' "$lab/passwd" || echo 'sshd:x:74:65534::/run/sshd:/usr/sbin/nologin' >>"$lab/passwd"
	sed 's|^root:[^:]*:|root:*:|' /etc/shadow >"$lab/shadow"
	cp /etc/group "$lab/group"
	cat >"$lab/sshd_config" <<CONFIG
HostKey $lab/host_ed25519
HostKey $lab/host_ecdsa
HostKey $lab/host_rsa
AuthorizedKeysFile $lab/keys.%u
PidFile none
StrictModes no
UsePAM no
MaxStartups 2000:30:3000
MaxSessions 1000
LoginGraceTime 60
PermitRootLogin yes
LogLevel VERBOSE
CONFIG
	# OpenSSH 9.8 slows down those who fail; these tests fail a lot.
	if "$(command -v sshd || echo /usr/sbin/sshd)" -T -f "$lab/sshd_config" 2>/dev/null | grep -qi '^persourcepenalties'; then
		echo 'PerSourcePenalties no' >>"$lab/sshd_config"
	fi
}

# lab_up: starts sshd. What $lab/inside.sh holds is run in the namespace before.
lab_up() {
	sshd=$(command -v sshd || echo /usr/sbin/sshd)
	[ -x "$sshd" ] || lab_skip "needs sshd"
	[ -e "$lab/inside.sh" ] || : >"$lab/inside.sh"
	port=22100
	while [ $port -lt 22200 ]; do
		: >"$lab/log"
		unshare --mount --propagation private sh -ec '
			lab=$1 port=$2 sshd=$3
			mkdir -p /run/sshd
			mount -t tmpfs -o mode=755 none /run
			mkdir -p /run/sshd
			for file in passwd shadow group; do
				mount --bind "$lab/$file" "/etc/$file"
			done
			. "$lab/inside.sh"
			exec "$sshd" -D -e -p "$port" -f "$lab/sshd_config"
		' sh "$lab" $port "$sshd" >"$lab/out" 2>"$lab/log" &
		lab_pid=$!
		for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
			grep -q 'Server listening' "$lab/log" && break
			kill -0 $lab_pid 2>/dev/null || break
			sleep 0.1
		done
		if grep -q 'Server listening' "$lab/log" && ! grep -q 'Cannot bind' "$lab/log"; then
			break
		fi
		kill $lab_pid 2>/dev/null || true
		wait $lab_pid 2>/dev/null || true
		port=$((port + 1))
	done
	[ $port -lt 22200 ] || {
		cat "$lab/log" >&2
		exit 1
	}
	for type in ed25519 ecdsa rsa; do
		echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$lab/host_$type.pub")"
	done >"$lab/known_hosts"
}

# lab_enter COMMAND...: in the namespace of sshd.
lab_enter() {
	nsenter --target "$lab_pid" --mount -- "$@"
}

lab_down() {
	if [ -n "${lab_pid:-}" ]; then
		# Its sessions are children of its own process group leader's listener.
		pkill -KILL -P "$lab_pid" 2>/dev/null || true
		kill "$lab_pid" 2>/dev/null || true
		wait "$lab_pid" 2>/dev/null || true
	fi
	if [ -n "${lab:-}" ]; then
		rm -rf "$lab"
	fi
}
