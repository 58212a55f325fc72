#!/bin/sh
# SPDX-License-Identifier: MIT
# test_ssh_jump.sh BUILD: through jump hosts, against a real sshd that plays all of them, with the fake probe.
set -u
build=$1
here=$(dirname "$0")
# shellcheck source=tests/integration/sshd_lab.sh
. "$here/sshd_lab.sh"

lab_need ssh-keygen ssh unshare
trap lab_down EXIT
trap 'exit 130' INT TERM
lab_new
failures=0
arch=$(uname -m)
cp "$build/tests/fake/fake_probe" "$lab/probe-$arch"

# ssh_config is the whole configuration, as people have it: users, ports, keys and ways stand there.
talk() {
	"$build/tests/integration/ssh_talk" -X "$build/bin/muster-ssh" -P "$lab/probe-$arch" -F "$lab/ssh_config" "$@"
}

fail() {
	echo "FAIL $*"
	head -20 "$lab/stderr" 2>/dev/null
	failures=$((failures + 1))
}

# expect WHAT HOST OUTCOME TEXT ARGUMENTS...
expect() {
	what=$1 host=$2 outcome=$3 text=$4
	shift 4
	line=$(talk "$@" "$host" 2>"$lab/stderr")
	case $line in
	"$host $outcome "*"$text"*) echo "ok   $what" ;;
	*) fail "$what: wanted $outcome ($text), got: $line" ;;
	esac
}

# logins USER: how many sessions that user has had.
logins() {
	grep -c "Accepted publickey for $1 " "$lab/log"
}

# All of them log in with the same key; who they are on the way is told by their names.
for user in target hop1 hop2 ten dies shut picky locked; do
	lab_user $user /bin/sh
done
ssh-keygen -q -t ed25519 -N '' -C hop -f "$lab/keys/hop"
ssh-keygen -q -t ed25519 -N '' -C stranger -f "$lab/keys/stranger"
for user in hop1 hop2 ten dies shut picky; do
	cp "$lab/keys/hop.pub" "$lab/keys.$user"
done
cp "$lab/keys/ed25519.pub" "$lab/keys.target"
: >"$lab/keys.locked"
cat >>"$lab/sshd_config" <<CONFIG
Match User hop1
	MaxSessions 0
	ForceCommand /bin/false
Match User ten
	MaxSessions 10
Match User shut
	AllowTcpForwarding no
Match User picky
	PermitOpen 127.0.0.1:1
CONFIG
lab_up
sed 's/^[^ ]*/known/' "$lab/known_hosts" >"$lab/known"
sed "s|^[^ ]* ssh-ed25519 .*|known ssh-ed25519 $(cut -d' ' -f2 "$lab/keys/stranger.pub")|" "$lab/known_hosts" |
	grep ed25519 >"$lab/wrong"
cat >"$lab/ssh_config" <<CONFIG
Host hop1 hop2 ten dies shut picky wrong unknown stranger far
	IdentityFile $lab/keys/hop
Host hop1
	User hop1
Host hop2
	User hop2
Host ten
	User ten
Host dies
	User dies
Host shut
	User shut
Host picky
	User picky
Host wrong
	User hop1
	UserKnownHostsFile $lab/wrong
Host unknown
	User hop1
	UserKnownHostsFile $lab/nothing
Host stranger
	User locked
Host gone nobody-*
	Port 1
Host far
	User hop2
	ProxyJump hop1
Host round
	ProxyJump about
Host about
	ProxyJump round
Host *
	HostName 127.0.0.1
	Port $port
	HostKeyAlias known
	IdentityFile $lab/keys/ed25519
	IdentitiesOnly yes
	UserKnownHostsFile $lab/known
	GlobalKnownHostsFile none
Match host 127.0.0.1 originalhost *-by-*
	User target
Match originalhost *-by-hop1
	ProxyJump hop1
Match originalhost *-by-two
	ProxyJump hop1,hop2
Match originalhost *-by-far
	ProxyJump far
Match originalhost *-by-hop2-as-hop1
	ProxyJump hop1@hop2:$port
Match originalhost *-by-ten
	ProxyJump ten
Match originalhost *-by-dies
	ProxyJump dies
Match originalhost *-by-shut
	ProxyJump shut
Match originalhost *-by-picky
	ProxyJump picky
Match originalhost *-by-wrong
	ProxyJump wrong
Match originalhost *-by-unknown
	ProxyJump unknown
Match originalhost *-by-stranger
	ProxyJump stranger
Match originalhost *-by-gone
	ProxyJump gone
Match originalhost *-by-round
	ProxyJump round
CONFIG

# --- the way there ---
expect 'one jump host' a-by-hop1 clean frames=1
expect 'two jump hosts' a-by-two clean frames=1
# Many full packets that do not pack: each is a little more than libssh2 takes for the jump host in one call.
cp "$lab/probe-$arch" "$lab/small"
head -c 2000000 /dev/urandom >>"$lab/probe-$arch"
expect 'a large probe through a jump host' a-by-hop1 clean frames=1
expect 'a large probe through two of them' a-by-two clean frames=1
mv "$lab/small" "$lab/probe-$arch"
expect 'a jump host behind another by its own configuration' a-by-far clean frames=1
expect 'a jump host by another user and port' a-by-hop2-as-hop1 clean frames=1
expect 'frames go both ways' a-by-two clean frames=2 -s ping
expect 'a probe that dies behind a jump host' a-by-hop1 killed 'signal KILL' -s '!kill'
expect 'output without end behind two' a-by-two over-limit 'more than 3000000' -s '!flood' -c 3000000


# --- its own host key, and its login ---
expect 'a jump host with another host key' a-by-wrong jump-failed 'jump host wrong: key-mismatch: host key changed'
expect 'a jump host that is not known' a-by-unknown jump-failed 'jump host unknown: key-unknown: its host key'
expect 'a jump host that takes no key' a-by-stranger jump-failed 'jump host stranger: auth-failed: none of 2 keys'
expect 'a jump host that is not there' a-by-gone jump-failed 'jump host gone: refused'
expect 'jump hosts in a circle' a-by-round jump-failed 'ProxyJump leads round in a circle'

# --- what an inventory says of one host ---
expect 'a jump host that the inventory names' a clean frames=1 -u target -V hop1
expect 'none, whatever ssh_config says' a-by-gone clean frames=1 -V none
expect 'without its own key' a auth-failed 'none of 1 keys' -u ten -V hop1
expect 'a key that the inventory names' a clean frames=1 -u ten -V hop1 -I "$lab/keys/hop"
expect 'a key that is not there' a auth-failed 'its private key' -I "$lab/keys/nothing"
expect 'no jump host at all' a no-route 'ProxyJump: "a/b" is no' -V a/b

# --- the target's own part ---
sed -i "s/^Host \*\$/Host strange-*\n\tUserKnownHostsFile $(echo "$lab/wrong" | sed 's|/|\\/|g')\n&/" "$lab/ssh_config"
expect 'a target with another host key, behind a good jump host' strange-by-hop1 key-mismatch 'host key changed'
expect 'a target that is not there' nobody-by-hop1 no-route "jump host hop1 cannot connect to 127.0.0.1 port 1"
expect 'a jump host that forwards nothing' a-by-shut jump-failed 'jump host shut does not forward to 127.0.0.1'
expect 'a jump host that forwards elsewhere only' a-by-picky jump-failed 'see AllowTcpForwarding and PermitOpen'

# --- many through one ---
crowd() { # JUMP: thirty of its hosts
	n=0
	while [ $n -lt 30 ]; do
		echo "h$n-by-$1"
		n=$((n + 1))
	done
}
# through WHAT JUMP SESSIONS ARGUMENTS...: thirty at once, all well, by so many sessions of the jump host.
through() {
	what=$1 jump=$2 sessions=$3
	shift 3
	before=$(logins "$jump")
	# shellcheck disable=SC2046
	talk -m 2 -n 30 "$@" $(crowd "$jump") >"$lab/lines" 2>"$lab/stderr"
	clean=$(grep -c ' clean frames=1 ' "$lab/lines")
	used=$(($(logins "$jump") - before))
	if [ "$clean" = 30 ] && [ $used = "$sessions" ]; then
		echo "ok   $what"
	else
		fail "$what: $clean of 30 clean, $used sessions for $sessions"
		grep -v ' clean ' "$lab/lines" | head -3
	fi
}
through 'thirty by one session of a jump host with MaxSessions 10' ten 1 -H 300
through 'thirty by three sessions of ten' ten 3 -H 300 -J 10
through 'thirty one after the other, by one session' ten 1 -J 10 -L ten=10

# --- a jump host that dies ---
uid=$(awk -F: '$1 == "dies" { print $3 }' "$lab/passwd")
# shellcheck disable=SC2046
talk -n 30 -H 20000 -v $(crowd dies) >"$lab/lines" 2>"$lab/stderr" &
talker=$!
for _ in $(seq 100); do
	[ "$(grep -c ': probe started' "$lab/stderr")" = 30 ] && break
	sleep 0.1
done
pgrep -U "$uid" | while read -r pid; do
	kill -KILL "$pid"
done
wait $talker
lost=$(grep -c '^h.*-by-dies jump-failed .* jump host dies: lost: the connection broke' "$lab/lines")
if [ "$lost" = 30 ]; then
	echo 'ok   a jump host that dies fails those it carries, by its name'
else
	fail "a jump host that dies: $lost of 30 jump-failed"
	head -3 "$lab/lines"
fi
expect 'and the next one is carried again' a-by-dies clean frames=1

left=$(lab_enter find /run /dev/shm /tmp /var/tmp "$lab/home" -maxdepth 2 -name '.muster-????????????????' 2>/dev/null)
[ -z "$left" ] || fail "left behind: $left"
echo "$failures failures"
[ $failures = 0 ]
