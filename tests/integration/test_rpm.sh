#!/bin/bash
# SPDX-License-Identifier: MIT
# A root that rpm made, changed in each of the ways of rpm_cases, looked at by `rpm -Va` and by muster: line for line the
# same wherever rpm is honest. Prints the table.
#
#   test_rpm.sh BUILD [NAME...]     only these cases
#   test_rpm.sh BUILD __case NUMBER inside a namespace of its own
# What runs in a namespace of its own expands its own words.
# shellcheck disable=SC2016
set -euo pipefail
build=$1
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/integration/rpm_bed.sh
. "$here/rpm_bed.sh"

# --- one case: its root is an overlay that ends with its namespace; the results are files in $work/case

look_at() { # ROOT OUT: what rpm and muster say of a root
	mount -t proc proc "$1/proc"
	bed_rpm "$1" -Va --nodeps --noscripts >"$2/rpm" 2>"$2/rpm.err" || true
	bed_muster check localhost -q >"$2/check" 2>&1 || true
	bed_muster show localhost --rpm >"$2/muster" 2>&1 || true
}

one_case() { # NUMBER
	local line out=$work/case/$1 root
	line=$(sed -n "$1p" "$work/cases")
	bed_host "$out"
	(cd "$root" && eval "${line#*: }") >"$out/change" 2>&1 || {
		echo "FAILED: ${line%%: *}: the change itself: $(cat "$out/change")" >"$out/muster"
		return
	}
	look_at "$root" "$out"
}

if [ "${2:-}" = __case ]; then
	work=$BED_WORK bed=$BED_WORK/bed
	one_case "$3"
	exit
fi

# --- all of them

missing=$(bed_missing)
[ -z "$missing" ] || {
	echo "skipped: not here: $missing"
	exit 77
}
if [ "$(id -u)" != 0 ] || ! unshare --mount true 2>/dev/null; then
	echo 'skipped: needs root and mount namespaces'
	exit 77
fi
work=$(mktemp -d /tmp/muster-test.XXXXXX)
export BED_WORK=$work
trap 'bed_end; rm -rf --one-file-system "$work"' EXIT
failed=0

run_cases() {
	local count
	grep -v '^#' "$here/rpm_cases" >"$work/all"
	: >"$work/cases"
	if [ $# -eq 0 ]; then
		cp "$work/all" "$work/cases"
	else
		for name; do
			grep -F "$name: " "$work/all" >>"$work/cases"
		done
	fi
	count=$(wc -l <"$work/cases")
	seq "$count" | xargs -P 2 -n 1 unshare --mount "$0" "$build" __case
	echo "$count cases; columns are SM5DLUGTP, then the attribute"
	for number in $(seq "$count"); do
		judge_case "$number"
	done
}

judge_case() { # NUMBER
	local name out=$work/case/$1 verdict=same
	name=$(sed -n "$1p" "$work/cases")
	name=${name%%: *}
	if ! cmp -s "$out/rpm" "$out/muster"; then
		verdict=differs
	fi
	if [ "$verdict" != "$([ "${name#\~}" = "$name" ] && echo same || echo differs)" ]; then
		failed=$((failed + 1))
		verdict="FAILED: $verdict"
	fi
	printf '%-8s %-45s %s\n' "$verdict" "${name#\~}" "$(lines "$out/rpm")"
	if [ "$verdict" != same ]; then
		printf '%-8s %-45s %s\n' '' 'muster:' "$(lines "$out/muster")"
	fi
}

# What stands in every case's output says nothing.
lines() { grep -v 'share/keep (replaced)$' "$1" | paste -sd'|' | sed 's/|/\n                                                       /g' || true; }

the_list_of_packages() {
	(
		export TZ=UTC
		bed_rpm "$bed/root" -qa --last >"$work/rpm.last"
		unshare --mount bash -euc '. "$1/rpm_bed.sh"; build=$2 work=$3 bed=$3/bed; bed_host "$work/case/last"
			mount -t proc proc "$root/proc"; bed_muster check localhost -q >/dev/null || true
			bed_muster show localhost --installed >"$work/muster.last"' - "$here" "$build" "$work"
	)
	diff "$work/rpm.last" "$work/muster.last" || failed=$((failed + 1))
	echo "same     $(wc -l <"$work/muster.last") packages as rpm -qa --last lists them"
}

# Debian's rpm writes sqlite only and reads Berkeley DB; what it cannot read is held against what it says of sqlite.
each_kind_of_database() {
	local kind
	mkdir -p "$work/blobs"
	"$here/rpm_doctor.py" "$bed/root/var/lib/rpm/rpmdb.sqlite" blobs "$work/blobs" >"$work/blobs.list"
	for kind in ndb bdb bdb-big; do
		unshare --mount bash -euc '. "$1/rpm_bed.sh"; build=$2 work=$3 bed=$3/bed kind=$4; bed_host "$work/case/$kind"
			cd "$root"
			echo x >>usr/bin/tool; chmod 700 usr/bin/plain; rm usr/share/core/data; echo x >>usr/bin/multi
			mount -t proc proc proc
			bed_rpm "$root" -Va --nodeps --noscripts >"$work/rpm.$kind" || true
			rm -r var/lib/rpm; mkdir var/lib/rpm
			name=Packages; [ "$kind" != ndb ] || name=Packages.db
			rc=0; xargs "$build/tests/integration/rpm_convert" "$kind" "var/lib/rpm/$name" <"$work/blobs.list" || rc=$?
			[ $rc -ne 0 ] || {
			bed_muster check localhost -q >"$work/check.$kind" 2>&1 || true
			bed_muster show localhost --rpm >"$work/muster.$kind"
			}
		' - "$here" "$build" "$work" "$kind"
		if [ ! -e "$work/muster.$kind" ]; then
			echo "skipped  $kind: nothing here writes it"
		elif diff "$work/rpm.$kind" "$work/muster.$kind"; then
			echo "same     $kind: $(wc -l <"$work/muster.$kind") lines, as rpm says of the same packages in sqlite"
		else
			failed=$((failed + 1))
		fi
	done
}

bed_make "$work/bed" || {
	tail -n 20 "$work/bed/log"
	exit 1
}
run_cases "${@:2}"
the_list_of_packages
each_kind_of_database
[ "$failed" -eq 0 ] || {
	echo "FAILED: $failed"
	exit 1
}
