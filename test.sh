#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the dev preset (ASan, UBSan, warnings are errors) and runs every test. Arguments go to ctest:
#
#   ./test.sh                  everything
#   ./test.sh -L unit          one label: unit, lint or lab
#   ./test.sh -R schema -V     some tests, with their output
#
# Tests with the label lab raise hosts and need root; without it they are skipped, and counted so.
set -eu
cd "$(dirname "$0")"

scripts/setup --check build lab test >/dev/null || scripts/setup build lab test
cmake --preset dev
cmake --build --preset dev

report=build/dev/test.xml
rm -f "$report"
rc=0
ctest --preset dev --output-junit "$PWD/$report" "$@" || rc=$?

# The counts once more, on a line of their own, out of ctest's report.
count() { sed -n "s/.*$1=\"\([0-9]*\)\".*/\1/p" "$report" | head -1; }
if [ -s "$report" ]; then
	failed=$(count failures)
	skipped=$(($(count skipped) + $(count disabled)))
	# Why a test was skipped is the last thing that it said.
	python3 - "$report" <<'END'
import sys, xml.etree.ElementTree as xml
for case in xml.parse(sys.argv[1]).iter("testcase"):
    if case.get("status") in ("notrun", "disabled"):
        said = [line for line in (case.findtext("system-out") or "").splitlines() if line.strip()]
        print(f"skipped: {case.get('name')}: {said[-1] if said else 'no reason given'}")
END
	echo "$(($(count tests) - failed - skipped)) passed, $failed failed, $skipped skipped"
fi
exit $rc
