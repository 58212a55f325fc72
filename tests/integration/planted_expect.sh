# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What must be said of each change of tests/lab/plant; sourced, after tests/lab/testlib.sh. A change that is added there gets a
# row here, and is then planted and looked for by every test that walks the list.

# NAME RULES SEVERITY: what must be said of the path that `plant list` names.
expected() {
	case $1 in
	trojan | doctored-md5 | diverted) echo file.changed high ;;
	setuid) echo setid.gained high ;;
	chown) echo file.changed medium ;;
	symlink) echo file.changed,file.type medium ;;
	deleted) echo file.missing medium ;;
	immutable) echo flag.immutable high ;;
	capability) echo capability.gained high ;;
	unowned-elf) echo unowned.appeared,unowned.executable high ;;
	conffile) echo config.changed high ;;
	list-append | conffile-obsolete | conffile-of-removed) echo claim.unproved high ;;
	list-of-removed) echo setid.gained,unowned.appeared,unowned.executable high ;;
	diversion) echo exception.unknown high ;;
	path-exclude) echo exception.unknown high ;;
	statoverride) echo exception.unknown,setid.gained high ;;
	unknown-package) echo package.unproved,unowned.appeared medium ;;
	hidden-executable) echo volatile.telling medium ;;
	web-777) echo volatile.telling medium ;;
	escape-name) echo unowned.appeared medium ;;
	over-mount) echo mount.over,mount.changed medium ;;
	*) fail "no expectation for $1" ;;
	esac
}

# The subject where it is not the changed path itself.
subject() { # NAME PATH
	case $1 in
	path-exclude) echo '/usr/sbin/*' ;;
	unknown-package) echo "handy-tool:$(dpkg --print-architecture)" ;;
	diverted) echo /usr/bin/who ;; # by the name that its package gives it
	escape-name) printf '/etc/cron.d/up\033[2Jdate' ;;
	*) echo "$2" ;;
	esac
}
