#!/bin/bash
# SPDX-License-Identifier: MIT
# A bare baseline follows its origin: forward only, by signers that are named outside it, and never into nothing. No host is
# asked: the run's one host refuses, which --max-incomplete lets pass, so that the exit code is the fetch's own.
set -euo pipefail
build=$1
muster=${MUSTER_BIN:-$build/bin/muster}
for program in git ssh-keygen; do
	command -v "$program" >/dev/null || {
		echo "SKIPPED: needs $program"
		exit 77
	}
done
work=$(mktemp -d /tmp/muster-fetch.XXXXXX)
trap 'rm -rf "$work"' EXIT
unset "${!GIT_@}" "${!MUSTER_@}"
export HOME=$work XDG_CONFIG_HOME=$work XDG_STATE_HOME=$work NO_COLOR=1
clone=$work/clone
origin=$work/origin.git
local=$work/baseline.git
refused='not fetched'

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

# EXIT [OPTION...]: what it said is in $work/said.
check() {
	local want=$1 rc=0
	shift
	"$muster" check 127.0.0.1 --port 1 --ssh-config none --known-hosts "$work/none" --identity "$work/good" \
		--config "$work/muster.yaml" --max-incomplete 100% --format ndjson "$@" >"$work/run" 2>"$work/said" </dev/null || rc=$?
	[ "$rc" -eq "$want" ] || fail "exit $rc, not $want: $(cat "$work/said" "$work/run")"
}

says() {
	grep -qF -- "$1" "$work/said" || fail "it does not say '$1': $(cat "$work/said")"
}

head_of() { git --git-dir="$1" rev-parse HEAD; }

judged_by() {
	grep -q "\"$1\"" "$work/run" || fail "not judged by $1: $(cat "$work/run")"
	[ "$(head_of "$local")" = "$1" ] || fail "HEAD is not $1"
}

# The run goes on by the commit it had, says so, and is no clean one.
kept() {
	says "$refused"
	says 'judges by the baseline of '
	judged_by "$1"
	grep -q '"baseline":"stale"' "$work/run" || fail "the record does not say that it is stale"
	grep -q '"verdict":"incomplete"' "$work/run" || fail "the verdict is not incomplete"
}

# What is kept of the run says so as well, with the same exit code.
shown_as_stale() {
	local rc=0 file
	for format in ndjson text; do
		"$muster" show latest --config "$work/muster.yaml" --max-incomplete 100% --format "$format" \
			>"$work/shown.$format" 2>"$work/said" || rc=$?
		[ "$rc" -eq 3 ] || fail "show: exit $rc: $(cat "$work/said" "$work/shown.$format")"
	done
	grep '"type":"run_end"' "$work/run" >"$work/told"
	grep '"type":"run_end"' "$work/shown.ndjson" | cmp -s - "$work/told" || fail "shown is not what was told"
	for file in told shown.ndjson; do
		grep -q '"baseline":"stale","baseline_why":"[^"]' "$work/$file" || fail "no reason: $(cat "$work/$file")"
		grep -q '"baseline_made":"20' "$work/$file" || fail "no age: $(cat "$work/$file")"
	done
	grep -qE 'the baseline was not brought up to date and was [0-9]+ (second|minute)s? old \(.*git fetch' "$work/shown.text" ||
		fail "show does not say that it was stale: $(cat "$work/shown.text")"
	"$muster" status --config "$work/muster.yaml" >/dev/null 2>"$work/said" || true
	says 'judged by a baseline that was not brought up to date'
}

configure() {
	printf 'baseline: %s\nbaseline_fetch: true\ndb: %s\n' "$local" "$work/m.db" >"$work/muster.yaml"
	[ $# -eq 0 ] || printf '%s\n' "$@" >>"$work/muster.yaml"
}

# [OPTION...] of git commit.
commit() {
	echo "$RANDOM$SECONDS$*" >>"$clone/NOTES"
	git -C "$clone" add NOTES
	git -C "$clone" commit -q -m more "$@"
	git -C "$clone" push -q "$origin" HEAD:refs/heads/main
}

as() { git -C "$clone" config user.signingkey "$work/$1.pub"; }

set_up() {
	printf '[user]\n\tname = Test\n\temail = test@localhost\n[gpg]\n\tformat = ssh\n' >"$work/.gitconfig"
	: >"$work/none"
	ssh-keygen -q -t ed25519 -N '' -f "$work/good"
	ssh-keygen -q -t ed25519 -N '' -f "$work/other"
	"$muster" init "$clone" >/dev/null
	git -C "$clone" branch -q -M main
	git init -q --bare --initial-branch=main "$origin"
	git -C "$clone" push -q "$origin" main
	git clone -q --bare "$origin" "$local"
	configure
}

a_fast_forward_is_taken() {
	commit
	check 0
	judged_by "$(head_of "$origin")"
	! grep -q "$refused" "$work/said" || fail "$(cat "$work/said")"
	check 0
	judged_by "$(head_of "$origin")"
}

without_being_asked_nothing_is_fetched() {
	local had
	had=$(head_of "$local")
	commit
	MUSTER_BASELINE_FETCH=false check 0
	judged_by "$had"
	check 0
	judged_by "$(head_of "$origin")"
}

an_option_wins_over_the_configuration() {
	local had
	had=$(head_of "$local")
	commit
	check 0 --no-fetch
	judged_by "$had"
	MUSTER_BASELINE_FETCH=false check 0 --fetch
	judged_by "$(head_of "$origin")"
	check 2 --fetch --no-fetch
	says 'one of them'
}

# EXIT: the verb of its own.
fetch() {
	local rc=0
	"$muster" baseline fetch --config "$work/muster.yaml" >"$work/fetched" 2>"$work/said" || rc=$?
	[ "$rc" -eq "$1" ] || fail "exit $rc, not $1: $(cat "$work/said" "$work/fetched")"
}

it_is_fetched_by_hand() {
	local had
	commit
	fetch 0
	had=$(head_of "$origin")
	[ "$(head_of "$local")" = "$had" ] || fail 'it was not fetched'
	grep -q "^Fetched: .* stands at ${had:0:12}, made [0-9]* seconds\\? ago\.$" "$work/fetched" || fail "$(cat "$work/fetched")"
	fetch 0
	grep -q '^Up to date: ' "$work/fetched" || fail "$(cat "$work/fetched")"
	mv "$origin" "$origin.gone"
	fetch 2
	says 'does not appear to be a git repository'
	mv "$origin.gone" "$origin"
	[ "$(head_of "$local")" = "$had" ] || fail 'it moved'
}

an_unreachable_origin_keeps_the_commit() {
	local had
	had=$(head_of "$local")
	mv "$origin" "$origin.gone"
	check 3
	kept "$had"
	says 'does not appear to be a git repository'
	shown_as_stale
	check 0 --no-fetch
	! grep -q stale "$work/run" || fail 'what was not to be fetched is not stale'
	mv "$origin.gone" "$origin"
	check 0
}

no_hook_of_the_repository_runs() {
	local hook
	for hook in reference-transaction post-merge post-checkout pre-auto-gc post-update; do
		printf '#!/bin/sh\ntouch %s/ran\n' "$work" >"$local/hooks/$hook"
		chmod 755 "$local/hooks/$hook"
	done
	commit
	check 0
	judged_by "$(head_of "$origin")"
	[ ! -e "$work/ran" ] || fail 'a hook ran'
	git --git-dir="$local" update-ref refs/muster/shown HEAD
	[ -e "$work/ran" ] || fail 'these hooks would never run'
	rm -f "$local"/hooks/*
}

a_forced_push_is_refused() {
	local had
	had=$(head_of "$local")
	git -C "$clone" commit -q --amend -m other
	git -C "$clone" push -q --force "$origin" HEAD:refs/heads/main
	check 3
	kept "$had"
	says "not a descendant of ${had:0:12}: was it force-pushed?"
	git -C "$clone" reset -q --hard "$had"
	git -C "$clone" push -q --force "$origin" HEAD:refs/heads/main
	check 0
}

an_unsigned_commit_is_judged_by_nobody() {
	printf 'admin@localhost %s\n' "$(cut -d' ' -f1,2 "$work/good.pub")" >"$work/signers"
	configure "baseline_signers: $work/signers"
	check 2
	says 'is not signed by one of'
	MUSTER_BASELINE_FETCH=false check 2
	says 'is not signed by one of'
}

a_good_signer_is_taken() {
	as good
	commit -S
	check 0
	judged_by "$(head_of "$origin")"
	MUSTER_BASELINE_FETCH=false check 0
}

an_unsigned_tip_is_refused() {
	local had
	had=$(head_of "$local")
	commit --no-gpg-sign
	check 3
	kept "$had"
	says 'is not signed by one of'
}

an_unknown_signer_is_refused() {
	local had
	had=$(head_of "$local")
	as other
	commit -S
	check 3
	kept "$had"
	says 'is not signed by one of'
	as good
	commit -S
	check 0
	judged_by "$(head_of "$origin")"
}

# A commit that replaces the unsigned one must not lend it its signature.
a_replaced_object_lends_no_signature() {
	local signed plain
	signed=$(head_of "$local")
	plain=$(git -C "$clone" commit-tree -p HEAD -m plain "HEAD^{tree}")
	git -C "$clone" push -q "$origin" "$plain:refs/heads/main"
	git --git-dir="$local" fetch -q origin main
	git --git-dir="$local" replace "$plain" "$signed"
	check 3
	kept "$signed"
	git --git-dir="$local" replace -d "$plain" >/dev/null
	git -C "$clone" push -q --force "$origin" "$signed:refs/heads/main"
}

signers_within_the_repository_are_refused() {
	cp "$work/signers" "$local/signers"
	configure "baseline_signers: $local/signers"
	check 2
	says 'must not be named within the repository'
	ln -s "$local/signers" "$work/link"
	configure "baseline_signers: $work/link"
	check 2
	says 'must not be named within the repository'
	configure "baseline_signers: $work/nowhere"
	check 2
	says 'No such file'
	configure
}

a_work_tree_is_refused() {
	printf 'baseline: %s\nbaseline_fetch: true\ndb: %s\n' "$clone" "$work/m.db" >"$work/muster.yaml"
	check 2
	says 'only a bare repository is fetched into'
	configure
}

an_address_that_is_a_program_is_refused() {
	local url
	for url in "ext::sh -c touch% $work/ran" "-utouch $work/ran" "fd::17"; do
		rm -f "$work/ran"
		git --git-dir="$local" config remote.origin.url "$url"
		git --git-dir="$local" config protocol.ext.allow always
		check 2
		says 'is no address'
		[ ! -e "$work/ran" ] || fail "$url ran"
	done
	git --git-dir="$local" config remote.origin.url "ssh://-oProxyCommand=touch\${IFS}$work/ran/x"
	check 3
	git --git-dir="$local" config remote.origin.url "$origin"
	git --git-dir="$local" config remote.origin.vcs ext
	check 3
	git --git-dir="$local" config --unset remote.origin.vcs
	git --git-dir="$local" config remote.origin.uploadpack "touch $work/ran; git-upload-pack"
	check 0
	git --git-dir="$local" config --unset remote.origin.uploadpack
	[ ! -e "$work/ran" ] || fail 'a program ran'
}

a_head_that_names_no_branch_is_refused() {
	local had name
	had=$(head_of "$local")
	for name in 'refs/heads/--upload-pack=x' 'refs/heads/-x' 'refs/muster/fetched'; do
		mkdir -p "$local/refs/heads" "$local/refs/muster"
		echo "$had" >"$local/$name"
		echo "ref: $name" >"$local/HEAD"
		check 2
		says 'HEAD names no branch'
		rm -f "$local/$name"
	done
	echo "$had" >"$local/HEAD"
	check 2
	says 'HEAD names no branch'
	echo 'ref: refs/heads/main' >"$local/HEAD"
	check 0
	judged_by "$had"
}

run set_up a_fast_forward_is_taken without_being_asked_nothing_is_fetched an_option_wins_over_the_configuration \
	it_is_fetched_by_hand an_unreachable_origin_keeps_the_commit \
	no_hook_of_the_repository_runs a_forced_push_is_refused an_unsigned_commit_is_judged_by_nobody a_good_signer_is_taken \
	an_unsigned_tip_is_refused an_unknown_signer_is_refused a_replaced_object_lends_no_signature \
	signers_within_the_repository_are_refused a_work_tree_is_refused an_address_that_is_a_program_is_refused \
	a_head_that_names_no_branch_is_refused
