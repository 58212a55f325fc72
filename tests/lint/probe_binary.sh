#!/bin/sh
# SPDX-License-Identifier: MIT
# probe_binary.sh static FILE         no interpreter, no dynamic section, nothing writable and executable
# probe_binary.sh size FILE           at most 128 KB
# probe_binary.sh reproducible FILE   built again from a copy of the tree elsewhere: the same bytes
set -eu
what=$1
file=$2
fail() {
	echo "$file: $*"
	exit 1
}

case $what in
static)
	segments=$(readelf -lW "$file")
	for kind in INTERP DYNAMIC; do
		case $segments in *" $kind "*) fail "has a segment $kind: it would need a loader on the host" ;; esac
	done
	! echo "$segments" | grep -qE ' (RWE|WE) ' || fail 'has a segment that is writable and executable'
	! readelf -hW "$file" | grep -q 'Type:.*DYN' || fail 'is position independent: it was linked wrongly'
	;;
size)
	size=$(stat -c %s "$file")
	echo "$(basename "$file"): $size bytes"
	[ "$size" -le 131072 ] || fail "$size bytes, more than 131072"
	;;
reproducible)
	top=$(cd "$(dirname "$0")/../.." && pwd)
	copy=$(mktemp -d)
	trap 'rm -rf "$copy"' EXIT
	mkdir "$copy/elsewhere"
	for part in CMakeLists.txt cmake schema payloads; do
		cp -R "$top/$part" "$copy/elsewhere/"
	done
	# Only what the probe is made of; the rest of the tree has its own dependencies.
	sed -i -e '/add_subdirectory(schema)/b' -e '/add_subdirectory(payloads)/b' -e '/add_subdirectory(/d' \
		"$copy/elsewhere/CMakeLists.txt"
	MUSTER_DEPS=${MUSTER_DEPS:-$top/build/deps}
	export MUSTER_DEPS
	if ! cmake -S "$copy/elsewhere" -B "$copy/b" -G Ninja -DMUSTER_TESTS=OFF >"$copy/log" 2>&1 ||
		! cmake --build "$copy/b" --target "$(basename "$file")" -j 2 >>"$copy/log" 2>&1; then
		cat "$copy/log"
		fail 'does not build from a copy of the tree'
	fi
	cmp "$file" "$copy/b/bin/$(basename "$file")" || fail 'is not the same when built elsewhere'
	;;
*) fail "unknown check $what" ;;
esac
