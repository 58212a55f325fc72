#!/bin/sh
# SPDX-License-Identifier: MIT
# test_ssh.sh BUILD: the SSH transport against a real sshd, with the fake probe.
set -u
build=$1
here=$(dirname "$0")
# shellcheck source=tests/integration/sshd_lab.sh
. "$here/sshd_lab.sh"

lab_need ssh-keygen ssh-agent ssh-add unshare
trap lab_down EXIT
trap 'exit 130' INT TERM
lab_new
failures=0
skipped=0
cp "$build/tests/fake/fake_probe" "$lab/probe-$(uname -m)"

talk() {
	"$build/tests/integration/ssh_talk" -X "$build/bin/muster-ssh" -G "$build/bin/muster-run-ssh" \
		-P "$lab/probe-$(uname -m)" -p "$port" "$@"
}

# expect WHAT OUTCOME TEXT ARGUMENTS...: one conversation with 127.0.0.1 ends so, and its line holds TEXT.
expect() {
	what=$1 outcome=$2 text=$3
	shift 3
	line=$(talk "$@" 127.0.0.1 2>"$lab/stderr")
	case $line in
	"127.0.0.1 $outcome "*"$text"*) echo "ok   $what" ;;
	*)
		echo "FAIL $what: wanted $outcome ($text), got: $line"
		head -20 "$lab/stderr"
		failures=$((failures + 1))
		;;
	esac
}

skip() {
	echo "SKIPPED: $*"
	skipped=$((skipped + 1))
}

known() { echo "-k $lab/known_hosts"; }
key() { echo "-i $lab/keys/$1"; }
ok="$(known) $(key ed25519)"

# --- people and places ---
lab_user plain /bin/sh
lab_user bash /bin/bash
lab_user noisy /bin/bash
printf 'echo noise from rc\nprintf "no newline at the end"\n' >"$lab/home/noisy/.bashrc"
lab_user nologin /usr/sbin/nologin
lab_user false /bin/false
cp /bin/bash "$lab/rbash"
lab_user rbash "$lab/rbash"
for shell in tcsh fish ksh zsh; do
	! command -v $shell >/dev/null || lab_user "u$shell" "$(command -v $shell)"
done
if command -v busybox >/dev/null; then
	ln -s "$(command -v busybox)" "$lab/ash"
	lab_user uash "$lab/ash"
fi
lab_user certified /bin/sh
: >"$lab/keys.certified"
for name in yes exit0 drip sleep banner echo; do
	lab_user "f$name" /bin/sh
done
forced() { # NAME COMMAND
	printf 'command="%s" %s\n' "$2" "$(cat "$lab/keys/ed25519.pub")" >"$lab/keys.f$1"
}
forced yes 'yes muster'
forced exit0 'exit 0'
forced drip 'while :; do echo; sleep 1; done'
forced sleep 'sleep 1000'
forced echo 'echo $SSH_ORIGINAL_COMMAND'
ssh-keygen -q -t ed25519 -N '' -C ca -f "$lab/ca"
ssh-keygen -q -t ed25519 -N '' -C other -f "$lab/keys/other"
ssh-keygen -q -t ed25519 -N '' -C cert -f "$lab/keys/cert"
ssh-keygen -q -s "$lab/ca" -I certified -n certified "$lab/keys/cert.pub" 2>/dev/null
ssh-keygen -q -t rsa -N '' -C rsacert -f "$lab/keys/rsacert"
ssh-keygen -q -s "$lab/ca" -I certified -n certified "$lab/keys/rsacert.pub" 2>/dev/null
ssh-keygen -q -t rsa -m PEM -N '' -C pem -f "$lab/keys/pem"
ssh-keygen -q -t ecdsa -b 384 -m PKCS8 -N '' -C p384 -f "$lab/keys/p384"
ssh-keygen -q -t ecdsa -b 521 -N '' -C p521 -f "$lab/keys/p521"
ssh-keygen -q -t ed25519 -N secret -C locked -f "$lab/keys/locked"
cat "$lab/keys/pem.pub" "$lab/keys/p384.pub" "$lab/keys/p521.pub" >>"$lab/keys.plain"
echo "TrustedUserCAKeys $lab/ca.pub" >>"$lab/sshd_config"
lab_up

# --- in ---
for type in ed25519 ecdsa rsa; do
	# shellcheck disable=SC2046
	expect "a key of type $type" clean frames=1 $(known) $(key $type)
done
for type in pem p384 p521; do
	# shellcheck disable=SC2046
	expect "a key in format or size $type" clean frames=1 $(known) $(key $type) -u plain
done
# shellcheck disable=SC2046,SC2086
{
	expect 'a user certificate' clean frames=1 $(known) $(key cert) -u certified
	expect 'an rsa certificate' clean frames=1 $(known) $(key rsacert) -u certified
	expect 'a certificate for somebody else' auth-failed 'none of 2 keys' $(known) $(key cert) -u plain
	expect 'a key that is not authorised' auth-failed 'none of 1 keys' $(known) $(key other)
	expect 'the second key fits' clean frames=1 $(known) $(key other) $(key ed25519)
	expect 'no key at all' auth-failed 'no key to log in' $(known) -u plain
	if talk $(known) $(key locked) 127.0.0.1 2>&1 | grep -q ssh-add; then
		echo 'ok   a key with a passphrase names ssh-add'
	else
		echo 'FAIL a key with a passphrase names ssh-add'
		failures=$((failures + 1))
	fi
	eval "$(ssh-agent -s)" >/dev/null
	for type in ed25519 ecdsa rsa; do
		ssh-add -q "$lab/keys/$type" 2>/dev/null
		expect "ssh-agent with a key of type $type" clean frames=1 $(known) -a
		ssh-add -q -D 2>/dev/null
	done
	ssh-add -q "$lab/keys/rsacert" 2>/dev/null
	expect 'ssh-agent with an rsa certificate' clean frames=1 $(known) -a -u certified
	ssh-agent -k >/dev/null
	unset SSH_AUTH_SOCK SSH_AGENT_PID

	# --- host keys ---
	for type in ed25519 ecdsa rsa; do
		grep -E "(ssh|ecdsa)[^ ]*$type|ecdsa-sha2.*" "$lab/known_hosts" | grep "$type" >"$lab/one"
		expect "pinned by $type alone" clean frames=1 -k "$lab/one" $(key ed25519)
	done
	cp "$lab/known_hosts" "$lab/hashed"
	ssh-keygen -q -H -f "$lab/hashed" 2>/dev/null
	expect 'hashed names' clean frames=1 -k "$lab/hashed" $(key ed25519)
	expect 'an unknown host key' key-unknown 'SHA256:' -k /dev/null $(key ed25519)
	sed "s|\(ssh-ed25519\) .*|\1 $(cut -d' ' -f2 "$lab/keys/other.pub")|" "$lab/known_hosts" >"$lab/changed"
	grep ed25519 "$lab/changed" >"$lab/one"
	expect 'a changed host key' key-mismatch "from $lab/one:1" -k "$lab/one" $(key ed25519)
	expect 'one of several keys changed' key-mismatch 'host key changed' -k "$lab/changed" $(key ed25519)
	{
		cat "$lab/known_hosts"
		sed 's/^/@revoked /' "$lab/known_hosts"
	} >"$lab/revoked"
	expect 'a revoked host key' key-mismatch 'is revoked by' -k "$lab/revoked" $(key ed25519)
	sed "s/^/@cert-authority /" "$lab/known_hosts" >"$lab/authority"
	expect 'only a @cert-authority, by libssh2' key-unknown '@cert-authority' -O libssh2 -k "$lab/authority" $(key ed25519)
	sed 's/^\[127.0.0.1\]:[0-9]*/127.0.0.1/' "$lab/known_hosts" >"$lab/one"
	expect 'known without its port' clean frames=1 -k "$lab/one" $(key ed25519)
	if [ "$(talk -f $(known) 127.0.0.1 | grep -c ' same$')" = 3 ]; then
		echo 'ok   host keys of three types are fetched'
	else
		echo 'FAIL host keys of three types are fetched'
		failures=$((failures + 1))
	fi

	# --- ssh_config ---
	cat >"$lab/ssh_config" <<CONFIG
Host lab
	HostName 127.0.0.1
	Port $port
	User plain
	IdentityFile $lab/keys/ed25519
	UserKnownHostsFile $lab/known_hosts
	GlobalKnownHostsFile none
Host alias
	HostName 127.0.0.1
	Port $port
	HostKeyAlias someone
	IdentityFile $lab/keys/%r
	UserKnownHostsFile $lab/alias
	User certified
Host jump
	ProxyJump lab
Host behind
	ProxyCommand sh -c "echo no way >&2; exit 1"
CONFIG
	sed 's/^[^ ]*/someone/' "$lab/known_hosts" >"$lab/alias"
	cp "$lab/keys/cert" "$lab/keys/certified"
	cp "$lab/keys/cert-cert.pub" "$lab/keys/certified-cert.pub"
	printf 'Host *\n\tPort %s\n\tIdentityFile %s\n\tUserKnownHostsFile %s\n' "$port" "$lab/keys/ed25519" \
		"$lab/known_hosts" >"$lab/ssh_config_all"
	expect_config() { # FILE HOST OUTCOME TEXT
		line=$("$build/tests/integration/ssh_talk" -X "$build/bin/muster-ssh" -G "$build/bin/muster-run-ssh" \
			-P "$lab/probe-$(uname -m)" -F "$lab/$1" "$2" 2>"$lab/stderr")
		case $line in
		"$2 $3 "*"$4"*) echo "ok   ssh_config: $2 of $1" ;;
		*)
			echo "FAIL ssh_config: $2 of $1: wanted $3 ($4), got: $line"
			head -20 "$lab/stderr"
			failures=$((failures + 1))
			;;
		esac
	}
	expect_config ssh_config lab clean frames=1
	expect_config ssh_config alias clean frames=1
	expect_config ssh_config jump no-route 'jump host lab cannot connect to jump port 22'
	expect_config ssh_config behind lost 'no way'
	expect_config ssh_config_all 127.0.0.1 clean frames=1
	echo 'Nonsense yes' >"$lab/ssh_config_bad"
	expect_config ssh_config_bad 127.0.0.1 internal 'ssh -G: '

	# --- shells ---
	for user in plain bash noisy utcsh ufish uksh uzsh uash; do
		if grep -q "^$user:" "$lab/passwd"; then
			expect "the login shell of $user" clean frames=1 $ok -u $user
		else
			skip "the shell of $user is not installed"
		fi
	done
	expect nologin shell-refused 'not available' $ok -u nologin
	expect '/bin/false' shell-refused 'status 1' $ok -u false
	expect 'a restricted shell' shell-refused restricted $ok -u rbash
	expect 'a command without end' over-limit 'without end' $ok -u fyes
	expect 'a command that ends at once' shell-refused 'status 0' $ok -u fexit0
	expect 'a command that echoes ours' shell-refused 'status 0' $ok -u fecho
	expect 'a command that drips' timeout bootstrap $ok -u fdrip -C 700
	expect 'a command that says nothing' timeout bootstrap $ok -u fsleep -C 700

	# --- the probe's end ---
	expect 'frames go both ways' clean frames=2 $ok -s ping
	expect 'it exits early' killed 'status 3' $ok -s '!exit 3'
	expect 'it dies' killed 'signal KILL' $ok -s '!kill'
	expect 'it stops inside a message' killed 'middle of a message' $ok -s '!partial'
	expect 'a giant length' protocol-error 'impossible length' $ok -s '!giant'
	expect 'output without end' over-limit 'more than 3000000' $ok -s '!flood' -c 3000000
	expect 'it hangs' killed 'deadline (running)' $ok -s '!sleep' -t 1500
}

# --- the same, spoken by OpenSSH's ssh ---
# shellcheck disable=SC2046,SC2086
{
	by_ssh="$ok -O ssh"
	expect 'ssh: a login' clean frames=2 $by_ssh -s ping
	expect 'ssh: a key that is not authorised' auth-failed 'Permission denied' $(known) $(key other) -O ssh
	expect 'ssh: an unknown host key' key-unknown 'host key is known' -k /dev/null $(key ed25519) -O ssh
	expect 'ssh: a changed host key' key-mismatch 'host key changed: got SHA256:' -k "$lab/changed" $(key ed25519) \
		-O ssh
	expect 'ssh: a revoked host key' key-mismatch 'is revoked' -k "$lab/revoked" $(key ed25519) -O ssh
	expect 'ssh: nologin' shell-refused 'not available' $by_ssh -u nologin
	expect 'ssh: a restricted shell' shell-refused restricted $by_ssh -u rbash
	expect 'ssh: a command without end' over-limit 'without end' $by_ssh -u fyes
	expect 'ssh: a command that ends at once' shell-refused 'status 0' $by_ssh -u fexit0
	expect 'ssh: a command that says nothing' timeout bootstrap $by_ssh -u fsleep -C 700
	expect 'ssh: it exits early' killed 'status 3' $by_ssh -s '!exit 3'
	expect 'ssh: it dies' killed 'died of a signal' $by_ssh -s '!kill'
	expect 'ssh: it stops inside a message' killed 'middle of a message' $by_ssh -s '!partial'
	expect 'ssh: a giant length' protocol-error 'impossible length' $by_ssh -s '!giant'
	expect 'ssh: output without end' over-limit 'more than 3000000' $by_ssh -s '!flood' -c 3000000
	expect 'ssh: it hangs' killed 'deadline (running)' $by_ssh -s '!sleep' -t 2500
	case $(port=1 talk $by_ssh 127.0.0.1) in
	"127.0.0.1 refused "*) echo 'ok   ssh: a port where nobody listens' ;;
	*)
		echo 'FAIL ssh: a port where nobody listens'
		failures=$((failures + 1))
		;;
	esac
	# Whoever is killed without a chance to clean up leaves nothing running.
	"$build/tests/integration/ssh_talk" -X "$build/bin/muster-ssh" -G "$build/bin/muster-run-ssh" \
		-P "$lab/probe-$(uname -m)" -p "$port" $by_ssh -H 60000 127.0.0.1 >/dev/null 2>&1 &
	killed=$!
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		pgrep -f "muster-run-ssh $killed " >/dev/null && break
		sleep 0.2
	done
	guard=$(pgrep -f "muster-run-ssh $killed ")
	kill -KILL $killed
	wait $killed 2>/dev/null
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		kill -0 "${guard:-none}" 2>/dev/null || break
		sleep 0.2
	done
	if [ -n "$guard" ] && ! kill -0 "$guard" 2>/dev/null && ! pgrep -P "$guard" >/dev/null; then
		echo 'ok   ssh: it ends with muster, killed as it may be'
	else
		echo 'FAIL ssh: it ends with muster, killed as it may be'
		failures=$((failures + 1))
	fi
}

# --- nobody there ---
line=$(talk -k /dev/null nosuchhost.invalid 2>&1)
case $line in
"nosuchhost.invalid name-unknown "*) echo 'ok   a name that does not resolve' ;;
*)
	echo "FAIL a name that does not resolve: $line"
	failures=$((failures + 1))
	;;
esac
# shellcheck disable=SC2086
case $(port=1 talk $ok 127.0.0.1) in
"127.0.0.1 refused "*) echo 'ok   a port where nobody listens' ;;
*)
	echo 'FAIL a port where nobody listens'
	failures=$((failures + 1))
	;;
esac

left=$(lab_enter find /run /dev/shm /tmp /var/tmp "$lab/home" -maxdepth 2 -name '.muster-????????????????' 2>/dev/null)
if [ -n "$left" ]; then
	echo "FAIL left behind: $left"
	failures=$((failures + 1))
else
	echo 'ok   nothing is left behind'
fi
echo "$failures failures, $skipped skipped"
[ $failures = 0 ]
