# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# For tests that need a lab; sourced. It makes a folder of its own ($work, the lab's is $lab_dir), takes all down on
# any way out, and skips (77) where no hosts can be raised.
#
#   lab VERB...             tests/lab/lab for this test's lab
#   on [USER@]HOST COMMAND  over SSH
#   fail TEXT               ends the test
#   run FUNCTION...         runs each in turn and says its name

lab_program=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lab
if ! "$lab_program" can 2>&1; then
	exit 77
fi
work=$(mktemp -d /tmp/muster-test.XXXXXX)
lab_dir=$work/lab
export MUSTER_LAB_DIR=$lab_dir

lab() { "$lab_program" "$@"; }

on() {
	local host=$1
	shift
	ssh -F "$lab_dir/ssh_config" "$host" "$@" </dev/null
}

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

run() {
	local function
	for function; do
		echo "- ${function//_/ }"
		"$function"
	done
}

finish() {
	local rc=$?
	trap - EXIT
	"$lab_program" down || rc=1
	rm -rf --one-file-system "$work"
	exit $rc
}
trap finish EXIT
trap 'exit 130' INT TERM
