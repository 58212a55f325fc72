# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What must be said of each change of tests/lab/trees; sourced, after tests/lab/testlib.sh.

# NAME: what must be said of the path that `trees list` names, and at least how grave.
expected_in_tree() {
	case $1 in
	npm | pip | gem | jar | venv) echo unowned.changed low ;;
	npm-elf) echo unowned.appeared high ;;
	pip-start) echo unowned.appeared low ;;
	gem-setuid) echo setid.gained high ;;
	venv-hidden) echo unowned.appeared medium ;;
	venv-gone) echo unowned.vanished low ;;
	pyc-code) echo unowned.changed high ;;
	pyc-unchecked) echo unowned.bytecode high ;;
	pyc-*) echo unowned.bytecode medium ;;
	*) fail "no expectation for $1" ;;
	esac
}
