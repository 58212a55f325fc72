#!/bin/sh
# SPDX-License-Identifier: MIT
# muster on this machine, from nothing to a finding:
#
#   ./quickstart.sh [--hosts N] [--keep]
#
# Installs what is missing, builds, raises N (4) hosts of its own, records what they should be in a git repository,
# sweeps them, plants changes in one, sweeps again, and shows the report and the difference. The hosts need root (sudo
# is asked where this is not run as root). Nothing is left running or mounted, however this ends; with --keep the hosts
# stay up, and the last lines say how to take them down.
set -eu
top=$(cd "$(dirname "$0")" && pwd)
cd "$top"

hosts=4
keep=no
while [ $# -gt 0 ]; do
	case $1 in
	--hosts)
		hosts=${2:?--hosts needs a number}
		shift
		;;
	--keep) keep=yes ;;
	-h | --help)
		sed -n '3,10s/^# \{0,1\}//p' "$0"
		exit 0
		;;
	*)
		echo "quickstart: unknown argument $1 (try --help)" >&2
		exit 2
		;;
	esac
	shift
done

# The build belongs to whoever called; only the lab needs root.
if [ "${MUSTER_QUICKSTART_BUILT:-}" != yes ]; then
	echo '== Installing what is missing, building'
	start=$(date +%s)
	scripts/setup build lab
	mkdir -p build/quickstart
	if ! cmake --workflow --preset release >build/quickstart/build.log 2>&1; then
		tail -30 build/quickstart/build.log >&2
		echo 'quickstart: the build failed (build/quickstart/build.log)' >&2
		exit 2
	fi
	echo "   built in $(($(date +%s) - start)) s"
	if [ "$(id -u)" != 0 ]; then
		[ $keep = no ] || set -- --keep
		exec sudo MUSTER_QUICKSTART_BUILT=yes "$top/quickstart.sh" --hosts "$hosts" "$@"
	fi
fi

muster=$top/build/release/bin/muster
lab=$top/tests/lab/lab
plants=$top/tests/lab/plant
home=$top/build/quickstart
config=$home/muster.yaml
lab_dir=$(mktemp -d /tmp/muster-quickstart.XXXXXX)/lab

# shellcheck disable=SC2317 # called by the trap
finish() {
	rc=$?
	trap - EXIT
	trap '' INT TERM HUP
	if [ "$keep" = no ] || [ $rc != 0 ]; then
		"$lab" down --dir "$lab_dir" && rmdir "${lab_dir%/lab}" || rc=1
	fi
	# What was made as root belongs to whoever asked for it.
	[ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$home"
	exit $rc
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '\n== %s\n' "$*"; }

# Shows a command as it would be typed, and runs it. What muster found is no failure of this script: 1 is open findings,
# 3 a host or check that was not looked at.
run_muster() {
	printf '$ muster -c %s %s\n' "${config#"$top"/}" "$*"
	rc=0
	"$muster" -c "$config" "$@" || rc=$?
	case $rc in
	0 | 1 | 3) printf '  (exit %s)\n' $rc ;;
	*) exit $rc ;;
	esac
}

in_host() { # HOST prepare|plant NAME
	"$lab" --dir "$lab_dir" exec "$1" sh -s -- "$2" "$3" <"$plants" 2>/dev/null
}

"$lab" can
say "Raising $hosts hosts"
"$lab" up "$hosts" --dir "$lab_dir"
"$lab" list --dir "$lab_dir"

rm -rf "$home/baseline" "$home"/muster.db*
mkdir -p "$home"
cp "$lab_dir/inventory.yaml" "$home/inventory.yaml"
cat >"$config" <<CONFIG
# SPDX-License-Identifier: MIT
baseline: $home/baseline
db: $home/muster.db
inventory: $home/inventory.yaml
ssh:
  identity: $lab_dir/id_ed25519
  known_hosts: $lab_dir/known_hosts
CONFIG

# Commits want an author, and a fresh machine has none.
if ! git config user.name >/dev/null || ! git config user.email >/dev/null; then
	mkdir -p "$home/config/git"
	printf '[user]\n\tname = muster quickstart\n\temail = quickstart@localhost\n' >"$home/config/git/config"
	export XDG_CONFIG_HOME="$home/config"
fi

say 'Recording what the hosts should be: a git repository, and manifests of their packages'
run_muster init "${home#"$top"/}/baseline"
packages=$("$lab" cache 2>/dev/null | sed -n 's/^packages //p')
# shellcheck source=/dev/null
distribution=$(. /etc/os-release && echo "$ID")
keyring=/usr/share/keyrings/$distribution-archive-keyring.gpg
set -- "$packages"/*.deb
if [ -e "$1" ] && [ -r "$keyring" ]; then
	run_muster baseline import --mirror "$packages" --keyring "$keyring"
elif [ -e "$1" ]; then
	echo "$ muster -c ${config#"$top"/} baseline import --origin $distribution $packages/*.deb"
	"$muster" -c "$config" baseline import --origin "$distribution" "$@"
fi

say 'First sweep: every host by SSH; nothing stays on them'
run_muster sweep
run_muster baseline capture @lab

victim=$(sed -n '2p;1{$p}' "$lab_dir/inventory" | tail -1)
say "Planting changes in $victim"
for name in trojan setuid unowned-elf conffile immutable hidden-executable; do
	sh "$plants" list | awk -F '\t' -v name="$name" '$1 == name { printf "   %-36s %s\n", $2, $3 }'
	in_host "$victim" plant "$name"
done

say 'Second sweep: its report, one of its findings in full, and what differs between the two runs'
run_muster sweep | tee "$home/report.txt"
run_muster show "$(awk '/\/usr\/bin\/login / { print $NF; exit }' "$home/report.txt")"
run_muster diff

say 'What there is now'
cat <<TEXT
   programs   ${muster%/*}/
   baseline   $home/baseline   (git log shows who recorded what)
   database   $home/muster.db   (sqlite3 FILE 'select * from v_findings')

Next:
   muster=${muster#"$top"/} config=${config#"$top"/}
   \$muster -c \$config status                 what is open
   \$muster -c \$config show $victim            one host in full
   sudo \$muster check localhost --db /tmp/muster.db   this machine, without SSH
TEXT
if [ $keep = yes ]; then
	echo "The hosts stay up. Sweep them again, or take them down: sudo ${lab#"$top"/} down --dir $lab_dir"
fi
