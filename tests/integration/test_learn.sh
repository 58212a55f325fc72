#!/bin/bash
# SPDX-License-Identifier: MIT
# `muster baseline learn`: what several clean hosts agree on is proposed, and holds for all once it is committed. A changed
# content is never learned, and a host that has one is no witness of anything else.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lab/testlib.sh
. "$here/../lab/testlib.sh"
muster=${MUSTER_BIN:-$here/../../build/dev/bin}/muster
export HOME=$work XDG_CONFIG_HOME=$work XDG_STATE_HOME=$work NO_COLOR=1
printf "[user]\n\tname = Test\n\temail = test@localhost\n" >"$work/.gitconfig"
hosts=(web001 web002 web003)

check() { # OUT
	local rc=0
	"$muster" check "${hosts[@]}" --config "$work/muster.yaml" --format ndjson >"$1" 2>"$1.err" || rc=$?
	[ "$rc" -le 1 ] || [ "$rc" -eq 3 ] || {
		cat "$1.err" >&2
		fail "muster check ended with $rc"
	}
}

learn() { # OUT [OPTION...]
	local out=$1
	shift
	"$muster" baseline learn "${hosts[@]}" --config "$work/muster.yaml" "$@" >"$out" 2>&1 || fail "learn: $(cat "$out")"
}

says() { # FILE TEXT
	grep -qF -- "$2" "$1" || fail "it does not say '$2': $(cat "$1")"
}

raise() {
	local debs
	lab up 3
	cat >"$work/muster.yaml" <<-YAML
		inventory: $lab_dir/inventory.yaml
		baseline: $work/baseline
		db: $work/muster.db
		ssh:
		  user: root
		  identity: $lab_dir/id_ed25519
		  known_hosts: $lab_dir/known_hosts
	YAML
	debs=$("$lab_program" cache | sed -n 's/^packages //p')
	"$muster" init "$work/baseline" >/dev/null
	"$muster" baseline import --baseline "$work/baseline" --origin Debian "$debs"/coreutils_*.deb "$debs"/hostname_*.deb \
		>"$work/import.out" 2>&1 || fail "import: $(cat "$work/import.out")"
}

# As the scripts of a site's own packages would leave them, and on the third host something else as well.
hosts_are_set_up() {
	local host
	for host in "${hosts[@]}"; do
		lab exec "$host" sh -c 'setcap cap_net_raw+ep /usr/bin/od && chgrp adm /usr/bin/wc && chmod 2750 /usr/bin/wc'
	done
	lab exec web001 chmod 4755 /usr/bin/tac
	lab exec web003 sh -c 'printf x >>/usr/bin/hostname; chmod 4711 /usr/bin/nl'
	check "$work/first"
	"$here/expect.py" "$work/first" finding /usr/bin/od capability.gained high
	"$here/expect.py" "$work/first" finding /usr/bin/wc setid.gained high
	"$here/expect.py" "$work/first" finding /usr/bin/hostname file.changed high
}

what_clean_hosts_agree_on_is_shown() {
	local before
	before=$(git -C "$work/baseline" rev-parse HEAD)
	learn "$work/learned"
	says "$work/learned" 'web003 is not clean'
	says "$work/learned" '+capability /usr/bin/od cap_net_raw\075ep   (2 of 2 hosts; coreutils'
	says "$work/learned" '+statoverride /usr/bin/wc root adm 2750   (2 of 2 hosts'
	says "$work/learned" '+statoverride /usr/bin/tac root root 4755   (1 of 2 hosts'
	says "$work/learned" 'only one host says so'
	! grep -qE '^\+.*/usr/bin/(hostname|nl)' "$work/learned" || fail "learned from an unclean host: $(cat "$work/learned")"
	[ "$(git -C "$work/baseline" rev-parse HEAD)" = "$before" ] || fail 'something was committed'
}

what_is_committed_holds_for_every_host() {
	learn "$work/committed" --commit
	says "$work/committed" '2 overrides, commit'
	grep -v '^#' "$work/baseline/packages/dpkg/overrides.records" >"$work/lines"
	printf 'capability /usr/bin/od cap_net_raw\\075ep\nstatoverride /usr/bin/wc root adm 2750\n' | cmp - "$work/lines"
	"$muster" baseline verify --baseline "$work/baseline" >/dev/null 2>&1 || fail 'the baseline is broken'
	check "$work/second"
	"$here/expect.py" "$work/second" silent /usr/bin/od
	"$here/expect.py" "$work/second" silent /usr/bin/wc
	learn "$work/again" --commit
	says "$work/again" 'Nothing to commit'
}

what_differs_from_it_is_told() {
	lab exec web002 chmod 6750 /usr/bin/wc
	check "$work/third"
	"$here/expect.py" "$work/third" finding /usr/bin/wc setid.gained,file.changed high
}

run raise hosts_are_set_up what_clean_hosts_agree_on_is_shown what_is_committed_holds_for_every_host \
	what_differs_from_it_is_told
