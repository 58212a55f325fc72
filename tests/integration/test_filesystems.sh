#!/bin/bash
# SPDX-License-Identifier: MIT
# One package is one digest wherever it stands: the same root on ext4, xfs, btrfs and an overlay, looked at over SSH,
# must give the same content digest for every package, its configuration and its claims.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lab/testlib.sh
. "$here/../lab/testlib.sh"
muster=${MUSTER_BIN:-$here/../../build/dev/bin}/muster
sections=$(dirname "$(dirname "$muster")")/tests/integration/sections
export HOME=$work XDG_CONFIG_HOME=$work XDG_STATE_HOME=$work NO_COLOR=1

same_sections() { # FS: the sections of host FS001 that a package fixes
	"$sections" "$work/muster.db" "${1}001" | grep -E '^[0-9a-f]{64} (package|config|claims|packages|exceptions|dirs)'
}

look() { # FS LAB-OPTIONS...
	local fs=$1 rc=0
	shift
	lab_dir=$work/lab-$fs
	export MUSTER_LAB_DIR=$lab_dir
	lab up 1 --prefix "$fs" "$@"
	"$muster" check "${fs}001" -i "$lab_dir/inventory.yaml" --identity "$lab_dir/id_ed25519" \
		--known-hosts "$lab_dir/known_hosts" --db "$work/muster.db" -q >"$work/$fs.out" 2>&1 || rc=$?
	[ "$rc" -le 1 ] || fail "$fs: check ended with $rc: $(cat "$work/$fs.out")"
	same_sections "$fs" >"$work/$fs.sections"
	lab down
}

one_package_is_one_digest_on_every_file_system() {
	local fs
	look overlay
	for fs in ext4 xfs btrfs; do
		command -v "mkfs.$fs" >/dev/null || {
			echo "  $fs: skipped, no mkfs.$fs here"
			continue
		}
		look "$fs" --fs "$fs"
		# The hosts' own keys and users are [config] and [dirs] of nobody; what differs is a fault.
		diff "$work/overlay.sections" "$work/$fs.sections" >"$work/$fs.diff" ||
			fail "$fs differs from overlay: $(head -n 5 "$work/$fs.diff")"
		echo "  $fs: $(wc -l <"$work/$fs.sections") sections, each the same digest as on overlay"
	done
}

run one_package_is_one_digest_on_every_file_system
