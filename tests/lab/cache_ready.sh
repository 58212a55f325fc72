#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the lab's minimal root where it is not there yet, so that no test's time goes into that.
set -eu
if ! "$(dirname "$0")/lab" can 2>&1; then
	exit 77
fi
command -v mmdebstrap >/dev/null || {
	echo 'no mmdebstrap: hosts will show what this machine has installed'
	exit 0
}
exec "$(dirname "$0")/lab" cache
