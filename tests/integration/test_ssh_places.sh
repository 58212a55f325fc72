#!/bin/sh
# SPDX-License-Identifier: MIT
# test_ssh_places.sh BUILD: where the probe can and cannot be put and started, on hosts that differ in mounts, sudo,
# limits and algorithms. Each host is an sshd of its own.
set -u
build=$1
here=$(dirname "$0")
# shellcheck source=tests/integration/sshd_lab.sh
. "$here/sshd_lab.sh"

lab_need ssh-keygen unshare nsenter mount
trap lab_down EXIT
trap 'exit 130' INT TERM
failures=0
skipped=0

# host SNIPPET: a fresh host; SNIPPET runs in its namespace before sshd.
host() {
	lab_down
	lab_pid=
	lab_new
	cp "$build/tests/fake/fake_probe" "$lab/probe-$(uname -m)"
	lab_user plain /bin/sh
	printf '%s\n' "$1" >"$lab/inside.sh"
}

# expect WHAT OUTCOME TEXT ARGUMENTS...
expect() {
	what=$1 outcome=$2 text=$3
	shift 3
	line=$("$build/tests/integration/ssh_talk" -X "$build/bin/muster-ssh" -P "$lab/${probe:-probe-$(uname -m)}" \
		-p "$port" -k "$lab/known_hosts" -i "$lab/keys/ed25519" "$@" 127.0.0.1 2>"$lab/stderr")
	case $line in
	"127.0.0.1 $outcome "*"$text"*) echo "ok   $what" ;;
	*)
		echo "FAIL $what: wanted $outcome ($text), got: $line"
		head -20 "$lab/stderr"
		tail -5 "$lab/log"
		failures=$((failures + 1))
		;;
	esac
	left=$(lab_enter find /run /dev/shm /tmp /var/tmp "$lab/home" -maxdepth 2 -name '.muster-????????????????' 2>/dev/null)
	if [ -n "$left" ]; then
		echo "FAIL $what: left behind: $left"
		failures=$((failures + 1))
	fi
}

# A lab in /tmp must stay reachable, so /tmp itself is made unfit by name only: nobody but root may write there.
unfit='mount -t tmpfs -o mode=755,noexec none /dev/shm; mount -t tmpfs -o mode=755,noexec none /var/tmp;
mount --bind /tmp /tmp; mount -o remount,bind,noexec /tmp; mount -o remount,noexec /run'

host 'mount -t tmpfs -o noexec none /run; mkdir -p /run/sshd'
lab_up
expect '/run is noexec' clean frames=1
expect '/run is not writable for the user' clean frames=1 -u plain

host 'mount -t tmpfs -o size=16k none /run; mkdir -p /run/sshd'
lab_up
expect '/run is full' clean frames=1

host 'mount -t tmpfs -o ro none /dev/shm; mount -t tmpfs -o mode=755,noexec none /run; mkdir -p /run/sshd'
lab_up
expect 'noexec, then read-only' clean frames=1

host "$unfit"
lab_up
expect 'everything is noexec' no-place 'no folder'
expect 'everything is noexec for the user too' no-place 'no folder' -u plain

host "$unfit; mount -t tmpfs -o mode=755 none \$lab/home/root"
lab_up
expect 'only \$HOME executes' clean frames=1

host ''
lab_up
cp "$lab/probe-$(uname -m)" "$lab/probe-sparc64"
probe=probe-sparc64
expect 'no probe for this machine' arch-unknown "$(uname -m)"
printf '\177ELF nonsense that is no program' >"$lab/probe-$(uname -m)"
probe=
expect 'a probe that does not execute' exec-denied 'did not start'

if command -v sudo >/dev/null; then
	sudo=$(command -v sudo)
	host "cp /etc/sudoers \$lab/sudoers; echo 'allowed ALL=(root) NOPASSWD: ALL' >>\$lab/sudoers
echo 'asked ALL=(root) ALL' >>\$lab/sudoers; chmod 440 \$lab/sudoers; mount --bind \$lab/sudoers /etc/sudoers"
	lab_user allowed /bin/sh
	lab_user asked /bin/bash
	lab_user nosudo /bin/sh
	lab_up
	expect 'sudo -n is allowed' clean frames=1 -S -u allowed
	expect 'sudo -n as root' clean frames=1 -S
	expect 'sudo asks for a password' no-sudo 'password' -S -u asked
	expect 'sudo does not know the user' no-sudo 'sudo -n ended' -S -u nosudo
	host "mount --bind /dev/null $sudo"
	lab_up
	expect 'there is no sudo' no-sudo 'sudo -n ended' -S -u plain
else
	echo 'SKIPPED: sudo is not installed'
	skipped=$((skipped + 1))
fi

# --- limits: the user may have so many processes and no more ---
host ''
lab_user few /bin/bash
# Its sshd and its shell are two processes already.
printf 'command="ulimit -u 1; eval \\"$SSH_ORIGINAL_COMMAND\\"" %s\n' "$(cat "$lab/keys/ed25519.pub")" >"$lab/keys.few"
lab_up
expect 'no process can be started' no-process 'fork' -u few

# --- algorithms ---
algorithms() { # WHAT OUTCOME TEXT LINE...
	what=$1 outcome=$2 text=$3
	shift 3
	host ''
	printf '%s\n' "$@" >>"$lab/sshd_config"
	lab_up
	# What of its keys is known: all, one type, none.
	grep "${types:-.}" "$lab/known_hosts" >"$lab/known"
	cp "$lab/known" "$lab/known_hosts"
	# What libssh2 says where it is not relieved by ssh.
	expect "$what" "$outcome" "$text" -O libssh2
}
algorithms 'only chacha20' clean frames=1 'Ciphers chacha20-poly1305@openssh.com'
algorithms 'only aes-gcm' clean frames=1 'Ciphers aes256-gcm@openssh.com,aes128-gcm@openssh.com'
algorithms 'only etm MACs' clean frames=1 'Ciphers aes256-ctr' 'MACs hmac-sha2-512-etm@openssh.com'
algorithms 'only group exchange' clean frames=1 'KexAlgorithms diffie-hellman-group-exchange-sha256'
algorithms 'only nistp521' clean frames=1 'KexAlgorithms ecdh-sha2-nistp521'
algorithms 'only sntrup761' kex-failed \
	'no common key exchange: host offers sntrup761x25519-sha512@openssh.com; muster offers curve25519-sha256, ' \
	'KexAlgorithms sntrup761x25519-sha512@openssh.com'
algorithms 'only umac' kex-failed \
	'no common MAC: host offers umac-128-etm@openssh.com; muster offers hmac-sha2-256-etm@openssh.com, hmac-sha2-512' \
	'Ciphers aes128-ctr' 'MACs umac-128-etm@openssh.com'
algorithms 'only umac, with a cipher that wants none' clean frames=1 'Ciphers aes128-gcm@openssh.com' \
	'MACs umac-128-etm@openssh.com'
algorithms 'only umac, with a cipher that has its own but in libssh2' kex-failed 'no common MAC' \
	'Ciphers chacha20-poly1305@openssh.com' 'MACs umac-128-etm@openssh.com'
algorithms 'only cbc' kex-failed \
	'no common cipher: host offers aes256-cbc; muster offers chacha20-poly1305@openssh.com, aes128-ctr, ' \
	'Ciphers aes256-cbc'
types=ssh-ed25519
algorithms 'none of the known types of host key' key-mismatch \
	'no common host key: host offers ecdsa-sha2-nistp256; known_hosts has ssh-ed25519' \
	'HostKeyAlgorithms ecdsa-sha2-nistp256'
types=none
algorithms 'only SHA-1 host keys, and none is known' kex-failed \
	'no common host key: host offers ssh-rsa; muster offers ssh-ed25519, ecdsa-sha2-nistp256, ' \
	'HostKeyAlgorithms ssh-rsa'

echo "$failures failures, $skipped skipped"
[ $failures = 0 ]
