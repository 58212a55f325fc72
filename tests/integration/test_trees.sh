#!/bin/bash
# SPDX-License-Identifier: MIT
# One host with Python, an npm tree, a pip tree, a virtual environment, gems and jars: what no package owns is a few
# lines at first sight, compiled Python is silent by its heads, and each change inside of a tree is named.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lab/testlib.sh
. "$here/../lab/testlib.sh"
# shellcheck source=tests/integration/trees_expect.sh
. "$here/trees_expect.sh"
muster=${MUSTER_BIN:-$here/../../build/dev/bin}/muster
trees=$here/../lab/trees
export HOME=$work XDG_CONFIG_HOME=$work XDG_STATE_HOME=$work NO_COLOR=1
printf "[user]\n\tname = Test\n\temail = test@localhost\n" >"$work/.gitconfig"

in_host() { # VERB NAME
	lab exec web001 sh -s -- "$@" <"$trees"
}

check() { # OUT
	local out=$1 rc=0
	"$muster" check web001 --config "$work/muster.yaml" --format ndjson >"$out" 2>"$out.err" || rc=$?
	[ "$rc" -le 1 ] || [ "$rc" -eq 3 ] || {
		cat "$out.err" >&2
		fail "muster check ended with $rc"
	}
}

expect() { "$here/expect.py" "$@"; }

raise() {
	local extra
	extra=$("$lab_program" extra python3-six 2>"$work/extra.log") || {
		echo 'skipped: Python cannot be had for a lab host here'
		tail -n 2 "$work/extra.log"
		exit 77
	}
	lab up 1
	# Again where one pre-depends on another.
	tar -C "$extra" -cf - --exclude=partial --exclude=lock . |
		lab exec web001 sh -c 'mkdir /tmp/extra && tar -C /tmp/extra -xf - &&
			export DEBIAN_FRONTEND=noninteractive &&
			{ dpkg -i /tmp/extra/*.deb || dpkg -i /tmp/extra/*.deb || dpkg -i /tmp/extra/*.deb; } &&
			rm -rf /tmp/extra' >"$work/dpkg.log" 2>&1 ||
		fail "Python: $(tail -n 5 "$work/dpkg.log")"
	in_host grow
	in_host list >"$work/list"
	cat >"$work/muster.yaml" <<-YAML
		inventory: $lab_dir/inventory.yaml
		baseline: $work/baseline
		db: $work/muster.db
		ssh:
		  user: root
		  identity: $lab_dir/id_ed25519
		  known_hosts: $lab_dir/known_hosts
	YAML
	"$muster" init "$work/baseline" >"$work/init.out" || fail "init: $(cat "$work/init.out")"
}

five_trees_are_five_lines() {
	local tree
	check "$work/first"
	for tree in /usr/local/lib/node_modules /opt/service /opt/venv /usr/local/lib/ruby; do
		expect "$work/first" finding $tree unowned.present low
	done
	expect "$work/first" finding "$(sed -n 's/^pip\t\(.*\)\/demo\/.*\t.*/\1/p' "$work/list")" unowned.present low
	# python3-minimal and python3-six alone leave hundreds of compiled modules.
	echo "  compiled modules on the host: $(lab exec web001 find /usr /opt -name '*.pyc' | wc -l)"
	echo "  paths that no package owns: $(lab exec web001 sh -s <"$here/unowned_paths.sh")"
	expect "$work/first" fewer unowned. 20
	expect "$work/first" none unowned.bytecode
}

each_change_inside_is_named() {
	local name path rules severity missed=0
	printf '  %-14s %s\n' change 'what muster says'
	while IFS=$'\t' read -r name path _; do
		in_host change "$name"
	done <"$work/list"
	check "$work/changed"
	while IFS=$'\t' read -r name path _; do
		read -r rules severity <<<"$(expected_in_tree "$name")"
		printf '  %-14s ' "$name"
		expect "$work/changed" finding "$path" "$rules" "$severity" || missed=$((missed + 1))
	done <"$work/list"
	[ "$missed" -eq 0 ] || fail "$missed changes were not found"
}

an_upgrade_of_a_tree_is_one_line() {
	in_host change upgrade
	check "$work/upgraded"
	expect "$work/upgraded" finding /usr/local/lib/node_modules unowned.changed low
	expect "$work/upgraded" finding-any /usr/local/lib/node_modules/right/lib/addon.node unowned.appeared
}

an_accepted_tree_is_known_file_by_file() {
	local id modules=/usr/local/lib/node_modules
	id=$(expect "$work/upgraded" id $modules unowned.changed)
	"$muster" accept "$id" --config "$work/muster.yaml" >"$work/accept.out" 2>&1 || fail "accept: $(cat "$work/accept.out")"
	check "$work/accepted"
	expect "$work/accepted" silent $modules
	expect "$work/accepted" silent $modules/left/lib/7.js
	# What was told on its own was not accepted with it.
	expect "$work/accepted" finding-any $modules/right/lib/addon.node unowned.appeared
	in_host change npm
	check "$work/after"
	expect "$work/after" finding $modules/left/lib/7.js unowned.changed low
}

a_capture_ends_it_and_code_under_its_head_tells_again() {
	local code
	code=$(sed -n 's/^pyc-code\t\(.*\)\t.*/\1/p' "$work/list")
	"$muster" baseline capture web001 --config "$work/muster.yaml" >"$work/capture.out" 2>&1 ||
		fail "capture: $(cat "$work/capture.out")"
	check "$work/captured"
	expect "$work/captured" fewer unowned. 0
	in_host poke "$code" 61 '\007\007'
	check "$work/again"
	expect "$work/again" finding "$code" unowned.changed high
	expect "$work/again" fewer unowned. 1
}

run raise five_trees_are_five_lines each_change_inside_is_named an_upgrade_of_a_tree_is_one_line \
	an_accepted_tree_is_known_file_by_file \
	a_capture_ends_it_and_code_under_its_head_tells_again
