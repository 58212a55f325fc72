#!/bin/bash
# SPDX-License-Identifier: MIT
# The baseline from a server: git over ssh, against a real sshd, and over https, against git's own http-backend behind a
# certificate of a test's authority. The run's one host refuses, as in test_fetch.sh.
set -euo pipefail
build=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
muster=$build/bin/muster
# shellcheck source=tests/integration/sshd_lab.sh
. "$here/sshd_lab.sh"
lab_need git ssh ssh-keygen openssl python3 nsenter
[ -x "$(git --exec-path)/git-http-backend" ] || lab_skip "needs git-http-backend"
unset "${!GIT_@}" "${!MUSTER_@}" "${!SSH_@}"

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

run() {
	local function
	for function; do
		echo "- ${function//_/ }"
		"$function"
	done
}

down() {
	[ -z "${web:-}" ] || kill "$web" 2>/dev/null || true
	lab_down
}

lab_new
trap down EXIT
home=$lab/home/root
local=$lab/baseline.git
export HOME=$home XDG_CONFIG_HOME=$home XDG_STATE_HOME=$home NO_COLOR=1

head_of() { git --git-dir="$1" rev-parse HEAD; }

commit() {
	echo "$RANDOM$SECONDS" >>"$lab/clone/NOTES"
	git -C "$lab/clone" add NOTES
	git -C "$lab/clone" commit -q -m more
	git -C "$lab/clone" push -q "$lab/srv/baseline.git" HEAD:refs/heads/main
}

# EXIT: where ssh finds the lab's root and none of this machine's.
check() {
	local rc=0
	lab_enter env HOME="$home" "$muster" check 127.0.0.1 --port 1 --ssh-config none --known-hosts "$lab/none" --identity \
		"$lab/keys/ed25519" --config "$lab/muster.yaml" --max-incomplete 100% --format ndjson \
		>"$lab/run" 2>"$lab/said" </dev/null || rc=$?
	[ "$rc" -eq "$1" ] || fail "exit $rc, not $1: $(cat "$lab/said" "$lab/run")"
}

# ADDRESS: it is taken from there.
taken() {
	git --git-dir="$local" config remote.origin.url "$1"
	commit
	check 0
	[ "$(head_of "$local")" = "$(head_of "$lab/srv/baseline.git")" ] || fail "nothing was fetched from $1: $(cat "$lab/said")"
	! grep -q 'not fetched' "$lab/said" || fail "$(cat "$lab/said")"
}

# ADDRESS WORDS: it is not; the run says why, and goes on with what it had.
kept() {
	local had
	git --git-dir="$local" config remote.origin.url "$1"
	had=$(head_of "$local")
	commit
	check 3
	[ "$(head_of "$local")" = "$had" ] || fail "it was fetched from $1"
	grep -qi -- "not fetched: .*$2" "$lab/said" || fail "it does not say '$2': $(cat "$lab/said")"
	grep -q '"baseline":"stale"' "$lab/run" || fail 'the record does not say that it is stale'
	! grep -q "$(printf '\033')" "$lab/said" "$lab/run" || fail 'an escape sequence of the server comes through'
}

set_up() {
	mkdir -p "$home/.ssh" "$lab/srv"
	chmod 700 "$home" "$home/.ssh"
	printf '[user]\n\tname = Test\n\temail = test@localhost\n' >"$home/.gitconfig"
	: >"$lab/none"
	"$muster" init "$lab/clone" >/dev/null
	git -C "$lab/clone" branch -q -M main
	git init -q --bare --initial-branch=main "$lab/srv/baseline.git"
	git -C "$lab/clone" push -q "$lab/srv/baseline.git" main
	git clone -q --bare "$lab/srv/baseline.git" "$local"
	printf 'baseline: %s\nbaseline_fetch: true\ndb: %s\n' "$local" "$lab/m.db" >"$lab/muster.yaml"
	lab_user liar /bin/sh
	cat >>"$lab/sshd_config" <<'CONFIG'
Match User liar
	ForceCommand printf 'gone \033[2J\033]0;title\007 away\n' >&2; exit 1
CONFIG
	lab_up
	cp "$lab/known_hosts" "$home/.ssh/known_hosts"
	cp "$lab/keys/ed25519" "$home/.ssh/id_ed25519"
	chmod 600 "$home/.ssh/id_ed25519"
}

over_ssh_it_is_taken() { taken "ssh://root@127.0.0.1:$port$lab/srv/baseline.git"; }

a_server_key_that_is_not_known_is_refused() {
	rm "$home/.ssh/known_hosts"
	kept "ssh://root@127.0.0.1:$port$lab/srv/baseline.git" 'host key verification failed'
	ssh-keygen -q -t ed25519 -N '' -f "$lab/stranger"
	echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$lab/stranger.pub")" >"$home/.ssh/known_hosts"
	kept "ssh://root@127.0.0.1:$port$lab/srv/baseline.git" 'remote host identification has changed'
	cp "$lab/known_hosts" "$home/.ssh/known_hosts"
}

a_key_that_is_not_taken_is_told() {
	mv "$lab/keys.root" "$lab/keys.gone"
	kept "ssh://root@127.0.0.1:$port$lab/srv/baseline.git" 'permission denied'
	mv "$lab/keys.gone" "$lab/keys.root"
}

what_a_server_says_is_escaped() { kept "ssh://liar@127.0.0.1:$port/x.git" 'gone .*\\033\[2J.*away'; }

a_repository_that_is_not_there_is_told() {
	kept "ssh://root@127.0.0.1:$port$lab/srv/nothing.git" 'does not appear to be a git repository'
}

# FILE NAME of the certificate's.
certify() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$2" -keyout "$lab/$1.key" \
		-out "$lab/$1.req" 2>/dev/null
	openssl x509 -req -in "$lab/$1.req" -CA "$lab/ca.crt" -CAkey "$lab/ca.key" -CAcreateserial -days 2 -out "$lab/$1.crt" \
		-extfile <(echo "subjectAltName=$2") 2>/dev/null
}

# CERTIFICATE: sets $address.
serve() {
	[ -z "${web:-}" ] || kill "$web" 2>/dev/null || true
	exec 9> >(exec python3 "$here/git_https.py" "$lab/srv" "$lab/$1.crt" "$lab/$1.key" >"$lab/port" 2>"$lab/web")
	web=$!
	for _ in {1..100}; do
		[ ! -s "$lab/port" ] || break
		sleep 0.1
	done
	address=$(printf 'https://%s:%s' 127.0.0.1 "$(cat "$lab/port")")
	: >"$lab/port"
}

over_https_it_is_taken() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=test -days 2 -keyout "$lab/ca.key" \
		-out "$lab/ca.crt" 2>/dev/null
	certify good IP:127.0.0.1
	certify other DNS:elsewhere.example
	serve good
	git config --global http.sslCAInfo "$lab/ca.crt"
	taken "$address/baseline.git"
}

an_authority_that_is_not_trusted_is_refused() {
	git config --global --unset http.sslCAInfo
	kept "$address/baseline.git" 'certificate'
	git config --global http.sslCAInfo "$lab/ca.crt"
}

a_password_is_never_asked_for() { kept "$address/closed/baseline.git" 'could not read username\|terminal prompts disabled'; }

a_way_to_plain_http_is_not_taken() {
	local scheme
	kept "$address/away/baseline.git" 'http'
	for scheme in http git ftp; do
		kept "$scheme://127.0.0.1:1/baseline.git" "transport '$scheme' not allowed"
	done
}

a_certificate_of_another_name_is_refused() {
	serve other
	kept "$address/baseline.git" 'certificate\|subject name'
	serve good
	taken "$address/baseline.git"
}

run set_up over_ssh_it_is_taken a_server_key_that_is_not_known_is_refused a_key_that_is_not_taken_is_told \
	what_a_server_says_is_escaped a_repository_that_is_not_there_is_told over_https_it_is_taken \
	an_authority_that_is_not_trusted_is_refused a_password_is_never_asked_for a_way_to_plain_http_is_not_taken \
	a_certificate_of_another_name_is_refused
