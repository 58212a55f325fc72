#!/bin/bash
# SPDX-License-Identifier: MIT
# What an intruder with root does to an rpm database so that `rpm -Va` is silent, and what else a header may be: each is
# reproduced with rpm itself and named by muster, whose keys come from a baseline. Prints the table.
#
#   test_rpm_deceived.sh BUILD [NAME...]
# Each case has a namespace of its own, and expands its own words there.
# shellcheck disable=SC2016
set -euo pipefail
build=$1
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/integration/rpm_bed.sh
. "$here/rpm_bed.sh"

# name | what is done in the root | does rpm -Va say nothing of it | subject of the finding | its rule | least severity
# $DB, $NDB: the database, and one of another kind beside it; trojan PATH: another program; doctor: rpm_doctor.py;
# install NAME; at_first: muster looks at the root before what follows is done.
cases() {
	cat <<'TABLE'
nothing|:|silent||quiet|high
another package's file, by force|:|silent|/usr/share/keep|file.changed|medium
trojan|trojan usr/bin/plain|speaks|/usr/bin/plain|file.changed|high
signed digests overridden|trojan usr/bin/plain; doctor override core . /usr/bin/plain|silent|core:x86_64|header.overridden|high
... and the trojan itself|trojan usr/bin/plain; doctor override core . /usr/bin/plain|silent|/usr/bin/plain|file.changed|high
FILESTATES: not installed|trojan usr/bin/plain; doctor states core 2|silent|core:x86_64|header.states|high
... and the trojan itself|trojan usr/bin/plain; doctor states core 2|silent|/usr/bin/plain|file.changed|high
FILESTATES: net shared|trojan usr/bin/plain; doctor states core 3|silent|core:x86_64|header.states|high
FILESTATES: wrong color|mkdir -p m; echo doc >m/doc; trojan usr/bin/plain; doctor states core 4|silent|core:x86_64|header.states|high
both, on a set-uid program|trojan usr/bin/suid; doctor override core . /usr/bin/suid; doctor states core 2|silent|/usr/bin/suid|file.changed|high
one bit of the header|doctor flip core|silent|core:x86_64|header.bad-signature|critical
header rewritten, digests anew|trojan usr/bin/plain; doctor rewrite core . /usr/bin/plain|silent|core:x86_64|header.bad-signature|critical
signature taken off|doctor unsign core|silent|core:x86_64|header.unsigned|medium
... and digests overridden|trojan usr/bin/plain; doctor override core . /usr/bin/plain; doctor unsign core|silent|core:x86_64|header.overridden|high
never signed|install unsigned|silent|unsigned:noarch|header.unsigned|medium
key that is not listed|install strange|silent|$STRANGER|header.unknown-key|medium
listed key, not for this package|install outside|silent|outside:noarch|header.outside-list|high
listed key, for this package|install allowed|silent||quiet|high
package out of the database|at_first; doctor forget net; doctor forget docs|silent|docs:x86_64|package.hidden|high
second database|cp "$NDB" var/lib/rpm/Packages.db|silent|/var/lib/rpm/Packages.db|database.second|high
TABLE
}

# --- inside: one case

trojan() { # PATH: other bytes, the rest as it was
	local mode
	mode=$(stat -c %a "$1")
	echo 'another program' >"$1"
	chmod "$mode" "$1"
}

doctor() { # VERB NAME ARG...
	"$here/rpm_doctor.py" "$DB" "$@"
}

install() { # NAME
	bed_rpm "$root" --nodeps --noscripts -i "$bed/build/RPMS/$1-noarch.rpm" >/dev/null 2>&1
}

look() { # OUT
	bed_muster check localhost --baseline "$bed/../baseline" --format ndjson -q >"$1" 2>"$1.err" || true
}

at_first() { look first; }

one_case() { # NUMBER
	local change
	bed_host "$BED_WORK/case/$1"
	mount -t proc proc "$root/proc"
	DB=$root/var/lib/rpm/rpmdb.sqlite
	export NDB=$BED_WORK/second.ndb
	change=$(cases | sed -n "$1p" | cut -d'|' -f2)
	cd "$root"
	# shellcheck disable=SC2034
	(eval "$change") >"$bed_out/change" 2>&1 || echo "FAILED: $(cat "$bed_out/change")" >"$bed_out/failed"
	cd /
	bed_rpm "$root" -Va --nodeps --noscripts 2>/dev/null >"$bed_out/rpm" || true
	look "$bed_out/muster"
}

if [ "${2:-}" = __case ]; then
	bed=$BED_WORK/bed
	one_case "$3"
	exit
fi

# --- outside

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
export BED_WORK=$work HOME=$work XDG_CONFIG_HOME=$work XDG_STATE_HOME=$work
trap 'bed_end; rm -rf --one-file-system "$work"' EXIT
printf '[user]\n\tname = Test\n\temail = test@localhost\n' >"$work/.gitconfig"
failed=0

fingerprint() { gpg --batch --with-colons --list-keys "$1@localhost" | sed -n '/^fpr/{s/.*:\([0-9A-F]*\):$/\1/p;q}'; }

prepare() {
	bed_make "$work/bed"
	bed_package "$work/bed" unsigned none /usr/bin/unsigned
	bed_package "$work/bed" strange stranger /usr/bin/strange
	bed_package "$work/bed" outside other /usr/bin/outside
	bed_package "$work/bed" allowed other /usr/bin/allowed
	mkdir "$work/blobs"
	"$here/rpm_doctor.py" "$bed/root/var/lib/rpm/rpmdb.sqlite" blobs "$work/blobs" |
		xargs "$build/tests/integration/rpm_convert" ndb "$work/second.ndb"
	"$build/bin/muster" init "$work/baseline"
	mkdir -p "$work/baseline/keys"
	cp "$bed/keys/vendor.gpg" "$bed/keys/other.gpg" "$work/baseline/keys/"
	cat >"$work/baseline/keys/keys.yaml" <<-YAML
		- fingerprint: $(fingerprint vendor)
		  file: vendor.gpg
		  origins: [Vendor]
		- fingerprint: $(fingerprint other)
		  file: other.gpg
		  origins: [Other]
		  packages: [allowed]
	YAML
	git -C "$work/baseline" add -A
	git -C "$work/baseline" commit -qm keys
	# What an unknown signature names is the id of its key.
	STRANGER=$(fingerprint stranger)
	STRANGER=${STRANGER: -16}
}

# The line of this case: what rpm said, what muster said of the subject.
tell_case() { # NUMBER NAME RPM SUBJECT RULE SEVERITY
	local out=$work/case/$1 said verdict=ok rpm
	rpm=$(grep -vc 'share/keep (replaced)$' "$out/rpm" || true)
	if [ -e "$out/failed" ]; then
		verdict="FAILED: $(cat "$out/failed")"
	elif [ "$3" = silent ] && [ "$rpm" -ne 0 ]; then
		verdict='FAILED: rpm was to be silent'
	elif [ "$3" = speaks ] && [ "$rpm" -eq 0 ]; then
		verdict='FAILED: rpm was to speak'
	fi
	if [ "$5" = quiet ]; then
		said=$("$here/expect.py" "$out/muster" quiet "$6" 2>&1 && echo 'nothing') || verdict=FAILED
	else
		said=$("$here/expect.py" "$out/muster" finding "${4//\$STRANGER/$STRANGER}" "$5" "$6" 2>&1) || verdict=FAILED
	fi
	[ "$verdict" = ok ] || failed=$((failed + 1))
	printf '%-6s %-34s rpm -Va: %-9s muster: %s\n' "$verdict" "$2" \
		"$([ "$rpm" -eq 0 ] && echo nothing || echo "$rpm lines")" "$said"
	[ "$verdict" = ok ] || tail -n 5 "$out/muster.err"
}

prepare >"$work/prepare" 2>&1 || {
	tail -n 20 "$work/prepare" "$work/bed/log"
	exit 1
}
number=0
seq "$(cases | wc -l)" | xargs -P 2 -n 1 unshare --mount "$0" "$build" __case
while IFS='|' read -r name _ rpm subject rule severity; do
	number=$((number + 1))
	tell_case "$number" "$name" "$rpm" "$subject" "$rule" "$severity"
done < <(cases)
[ "$failed" -eq 0 ] || {
	echo "FAILED: $failed of $number"
	exit 1
}
