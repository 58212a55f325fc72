#!/bin/bash
# SPDX-License-Identifier: MIT
# A fresh install held against manifests whose whole chain is proved: the distribution's keys in the baseline's keys/, the
# archive's signed lists, and the .deb files the host was installed from. Nothing of medium or above is said of it. Then all
# changes of tests/lab/plant at once, and one in each tree of tests/lab/trees, without a capture: each is found, and nothing is
# called missing that is there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lab/testlib.sh
. "$here/../lab/testlib.sh"
# shellcheck source=tests/integration/planted_expect.sh
. "$here/planted_expect.sh"
# shellcheck source=tests/integration/trees_expect.sh
. "$here/trees_expect.sh"
muster=${MUSTER_BIN:-$here/../../build/dev/bin}/muster
plant=$here/../lab/plant
export HOME=$work XDG_CONFIG_HOME=$work XDG_STATE_HOME=$work NO_COLOR=1
printf "[user]\n\tname = Test\n\temail = test@localhost\n" >"$work/.gitconfig"
for tool in gpg gpgv mmdebstrap; do
	command -v $tool >/dev/null || {
		echo "skipped: no $tool"
		exit 77
	}
done

in_host() { # VERB NAME
	lab exec web001 sh -s -- "$@" <"$plant"
}

in_trees() { # VERB NAME
	lab exec web001 sh -s -- "$@" <"$here/../lab/trees"
}

check() { # OUT [OPTION...]
	local out=$1 rc=0
	shift
	"$muster" check web001 --config "$work/muster.yaml" --format ndjson "$@" >"$out" 2>"$out.err" || rc=$?
	[ "$rc" -le 1 ] || [ "$rc" -eq 3 ] || {
		cat "$out.err" >&2
		fail "muster check ended with $rc"
	}
}

import() { # EXIT WORDS [OPTION...]: `muster baseline import` ends with EXIT and says WORDS
	local rc=0 want=$1 words=$2
	shift 2
	"$muster" baseline import --baseline "$work/baseline" "$@" >"$work/import.out" 2>&1 || rc=$?
	[ "$rc" -eq "$want" ] || fail "import ended with $rc, not $want: $(tail -n 5 "$work/import.out")"
	grep -qF -- "$words" "$work/import.out" || fail "import does not say '$words': $(tail -n 5 "$work/import.out")"
}

raise() {
	lab up 1
	cat >"$work/muster.yaml" <<-YAML
		inventory: $lab_dir/inventory.yaml
		baseline: $work/baseline
		db: $work/muster.db
		ssh:
		  user: root
		  identity: $lab_dir/id_ed25519
		  known_hosts: $lab_dir/known_hosts
	YAML
	in_host list >"$work/list"
	"$lab_program" cache >"$work/cache"
	debs=$(sed -n 's/^packages //p' "$work/cache")
	lists=$(sed -n 's/^lists //p' "$work/cache")
	"$muster" init "$work/baseline" >/dev/null
	raise_trees
}

# Python and the trees that languages' installers leave. Its packages are proved by lists of their own.
extra=
raise_trees() {
	extra=$("$lab_program" extra python3-six 2>"$work/extra.log") || {
		extra=
		echo '  Python cannot be had here: the host has no trees of languages'
		: >"$work/tree-list"
		return
	}
	tar -C "$extra" -cf - --exclude=partial --exclude=lock . |
		lab exec web001 sh -c 'mkdir /tmp/extra && tar -C /tmp/extra -xf - &&
			export DEBIAN_FRONTEND=noninteractive &&
			{ dpkg -i /tmp/extra/*.deb || dpkg -i /tmp/extra/*.deb || dpkg -i /tmp/extra/*.deb; } &&
			rm -rf /tmp/extra' >"$work/dpkg.log" 2>&1 || fail "Python: $(tail -n 5 "$work/dpkg.log")"
	in_trees grow
	in_trees list >"$work/tree-list"
}

# The distribution's own keyring, each key pinned and bound to the origin that the lists name.
the_baseline_lists_the_keys() {
	local ring origin fingerprint
	ring=$(sed -n 's/^root //p' "$work/cache")/usr/share/keyrings
	mkdir "$work/baseline/keys" "$work/gpg"
	cat "$ring"/*-archive-keyring.gpg >"$work/baseline/keys/archive.gpg" 2>/dev/null || {
		echo 'skipped: the root has no keyring of its archive'
		exit 77
	}
	origin=$(sed -n 's/^Origin: //p' "$lists"/*_InRelease | sort -u | head -n 1)
	GNUPGHOME=$work/gpg gpg --batch --quiet --show-keys --with-colons "$work/baseline/keys/archive.gpg" 2>/dev/null |
		awk -F: '$1 == "pub" { first = 1 } $1 == "fpr" && first { print $10; first = 0 }' | sort -u >"$work/fingerprints"
	while read -r fingerprint; do
		printf -- '- {fingerprint: %s, file: archive.gpg, origins: [%s]}\n' "$fingerprint" "$origin"
	done <"$work/fingerprints" >"$work/baseline/keys/keys.yaml"
	git -C "$work/baseline" add keys
	git -C "$work/baseline" commit -q -m 'keys: those of the archive'
	"$muster" baseline verify --baseline "$work/baseline" >"$work/verify" || fail "verify: $(cat "$work/verify")"
}

a_changed_list_or_package_proves_nothing() {
	local before
	before=$(git -C "$work/baseline" rev-parse HEAD)
	mkdir "$work/lists" "$work/debs"
	cp "$lists"/* "$work/lists"
	cp "$debs"/hostname_*.deb "$work/debs"
	sed -i '0,/^Codename: /s/^Codename: /Codename: x/' "$work/lists"/*_InRelease
	import 2 'the signature is bad' --mirror "$work/debs" --lists "$work/lists"
	cp "$lists"/*_InRelease "$work/lists"
	sed -i '1s/$/ /' "$work/lists"/*_Packages
	import 2 'the signed Release names no such file' --mirror "$work/debs" --lists "$work/lists"
	cp "$lists"/*_Packages "$work/lists"
	printf x >>"$work/debs"/hostname_*.deb
	import 2 'no signed Packages names a .deb with this SHA-256' --mirror "$work/debs" --lists "$work/lists"
	mv "$work/debs"/hostname_*.deb "$work/debs/other_1_all.deb"
	import 3 'left out' --mirror "$work/debs" --lists "$work/lists"
	[ "$(git -C "$work/baseline" rev-parse HEAD)" = "$before" ] || fail 'something was committed'
}

the_whole_chain_is_imported() {
	local count
	count=$(find "$debs" -name '*.deb' | wc -l)
	import 0 "$count signed, 0 unsigned" --mirror "$debs" --lists "$lists"
	tail -n 2 "$work/import.out"
	import 0 'Nothing new' --mirror "$debs" --lists "$lists"
	if [ -n "$extra" ]; then
		import 0 ', 0 unsigned' --mirror "$extra" --lists "${extra%/cache/archives}/lists"
		count=$((count + $(find "$extra" -maxdepth 1 -name '*.deb' | wc -l)))
	fi
	"$muster" baseline verify --baseline "$work/baseline" 2>&1 | tee "$work/verify" | tail -n 1
	grep -qF "$count manifests are signed, 0 unsigned" "$work/verify" || fail 'not all are signed'
	[ "$("$muster" baseline list --baseline "$work/baseline" | grep -c ' signed [0-9A-F]\{40\}')" -eq "$count" ] ||
		fail 'the list does not name each signer'
}

a_fresh_install_equals_its_signed_packages() {
	check "$work/first"
	"$here/expect.py" "$work/first" counts
	"$here/expect.py" "$work/first" packages 60
	"$here/expect.py" "$work/first" quiet medium
}

# A build that the baseline has and the host has not, but for one file.
build_another_hostname() {
	local deb
	deb=$(echo "$debs"/hostname_*.deb)
	dpkg-deb -R "$deb" "$work/hostname"
	sed -i 's/^Version: .*/Version: 3.99/' "$work/hostname/DEBIAN/control"
	program=$(cd "$work/hostname" && find . -name hostname -path '*bin*' -type f | cut -c2-)
	printf 'another build' >>"$work/hostname$program"
	sed -i "s|^[0-9a-f]*\(  ${program#/}\)\$|$(md5sum <"$work/hostname$program" | cut -c-32)\1|" \
		"$work/hostname/DEBIAN/md5sums"
	dpkg-deb --root-owner-group -b "$work/hostname" "$work/hostname.deb" >/dev/null
	import 0 '0 signed, 1 unsigned' "$work/hostname.deb"
}

# An older build of the package that `plant unknown-package` installs. Like that one it ships no md5sums.
build_an_older_tool() {
	mkdir -p "$work/tool/DEBIAN" "$work/tool/usr/bin"
	echo old >"$work/tool/usr/bin/handy-tool"
	printf 'Package: handy-tool\nVersion: 0.9\nArchitecture: %s\nMaintainer: x <x@localhost>\nDescription: x\n' \
		"$(dpkg --print-architecture)" >"$work/tool/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$work/tool" "$work/tool.deb" >/dev/null
	import 0 '0 signed, 1 unsigned' "$work/tool.deb"
	"$muster" baseline list --baseline "$work/baseline" >"$work/baseline-list"
	grep -q '^package  handy-tool 0.9 .* unsigned .*no-md5sums$' "$work/baseline-list" ||
		fail "the list does not say that it ships no md5sums: $(grep handy-tool "$work/baseline-list")"
}

plant_all() {
	local name
	while IFS=$'\t' read -r name _ _; do
		# What must be accepted before it can be changed belongs to test_planted.sh.
		[ "$name" != diverted ] || continue
		in_host prepare "$name" 2>/dev/null
	done <"$work/list"
	check "$work/prepared"
	"$here/expect.py" "$work/prepared" quiet medium
	while IFS=$'\t' read -r name _ _; do
		[ "$name" = diverted ] || in_host plant "$name"
	done <"$work/list"
	lab exec web001 sh -c 'cat >/usr/bin/hostname' <"$work/hostname$program"
	while IFS=$'\t' read -r name _ _; do
		in_trees change "$name"
	done <"$work/tree-list"
	lab exec web001 dpkg -V >"$work/dpkg-v" 2>/dev/null || true
	check "$work/planted"
}

each_is_found_and_named() {
	local name path rules severity missed=0 found=0
	while IFS=$'\t' read -r name path _; do
		[ "$name" != diverted ] || continue
		read -r rules severity <<<"$(expected "$name")"
		printf '%-18s ' "$name"
		"$here/expect.py" "$work/planted" finding "$(subject "$name" "$path")" "$rules" "$severity" &&
			found=$((found + 1)) || missed=$((missed + 1))
	done <"$work/list"
	printf '%-18s ' half-upgraded
	"$here/expect.py" "$work/planted" finding "hostname:$(dpkg --print-architecture)" package.mixed high &&
		found=$((found + 1)) || missed=$((missed + 1))
	"$here/expect.py" "$work/planted" detail "hostname:$(dpkg --print-architecture)" package.mixed '3.99 (local)'
	while IFS=$'\t' read -r name path _; do
		read -r rules severity <<<"$(expected_in_tree "$name")"
		printf '%-18s ' "$name"
		"$here/expect.py" "$work/planted" finding "$path" "$rules" "$severity" &&
			found=$((found + 1)) || missed=$((missed + 1))
	done <"$work/tree-list"
	echo "$found found, $missed not"
	[ "$missed" -eq 0 ] || fail "$missed changes were not found"
	[ "$found" -ge 20 ] || fail "only $found kinds were planted"
}

nothing_is_called_missing_by_mistake() {
	"$here/expect.py" "$work/planted" missing /usr/bin/factor
}

# The list of MD5s was made to fit the trojan: dpkg sees nothing, the manifest does.
a_doctored_list_deceives_dpkg_alone() {
	! grep -q '/usr/bin/id$' "$work/dpkg-v" || fail 'dpkg -V was not deceived: the change is not what it says'
	"$here/expect.py" "$work/planted" finding /usr/bin/id database.disagrees high
	"$here/expect.py" "$work/planted" detail /usr/bin/id database.disagrees 'another MD5 than the manifest'
}

# dpkg made a list for a package that ships none: it is no proof, and is called by its name.
a_list_that_dpkg_computed_is_labelled() {
	local subject
	subject=handy-tool:$(dpkg --print-architecture)
	lab exec web001 test -s /var/lib/dpkg/info/handy-tool.md5sums || fail 'dpkg computed no md5sums'
	"$here/expect.py" "$work/planted" finding "$subject" package.self-summed info
	"$here/expect.py" "$work/planted" detail "$subject" package.self-summed 'dpkg computed from what it unpacked'
	"$muster" show web001 -v --config "$work/muster.yaml" >"$work/show" || [ $? -eq 1 ] || fail 'show failed'
	grep -qF package.self-summed "$work/show" || fail 'show does not label it'
}

run raise the_baseline_lists_the_keys a_changed_list_or_package_proves_nothing the_whole_chain_is_imported \
	a_fresh_install_equals_its_signed_packages build_another_hostname build_an_older_tool plant_all each_is_found_and_named \
	nothing_is_called_missing_by_mistake a_list_that_dpkg_computed_is_labelled a_doctored_list_deceives_dpkg_alone
