#!/bin/bash
# SPDX-License-Identifier: MIT
# one_host.sh BUILD [TIMES]: what `muster check` of one host takes as a whole, and what it adds to the probe's own time, which
# the probe tells at its end. Raises a host (tests/lab), looks at it for the first time, then TIMES (4) times as it is, then as
# often with --full.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
times=${2:-4}
# shellcheck source=tests/lab/testlib.sh
. "$here/../lab/testlib.sh"
export HOME=$work XDG_CONFIG_HOME=$work XDG_STATE_HOME=$work NO_COLOR=1

look() { # WHAT [OPTION...]
	local what=$1
	shift
	/usr/bin/time -o "$work/time" -f '%e %U %S' "$build/bin/muster" check web001 -i "$lab_dir/inventory.yaml" \
		--db "$work/m.db" --user root --identity "$lab_dir/id_ed25519" --known-hosts "$lab_dir/known_hosts" \
		--fail-on never "$@" >"$work/out" 2>&1 || fail "muster check: $(cat "$work/out")"
	"$build/bin/muster" show web001 --db "$work/m.db" --fail-on never >"$work/shown"
	sed -n 's/^  session.*, \([^,]* read\), \([0-9]*\) ms of CPU in \([0-9]*\) ms,.*/\2 \3 \1/p' "$work/shown" >"$work/probe"
	[ -s "$work/probe" ] || fail "no session shown: $(cat "$work/shown")"
	paste -d ' ' <(tail -n 1 "$work/time") "$work/probe" | awk -v what="$what" '{
		printf "%-14s  %5.2f s, the probe %5.2f s: adds %5.2f s.  CPU: muster %.2f s, the probe %.2f s, which %s %s %s\n",
			what, $1, $5 / 1000, $1 - $5 / 1000, $2 + $3, $4 / 1000, $8, $6, $7
	}'
}

lab up 1
look 'first contact'
for ((i = 0; i < times; i++)); do
	look unchanged
done
for ((i = 0; i < times; i++)); do
	look 'full pass' --full
done
