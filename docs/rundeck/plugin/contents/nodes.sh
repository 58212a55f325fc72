#!/bin/sh
# SPDX-License-Identifier: MIT
# Resource model source: prints the nodes (resource-yaml). Configuration comes as RD_CONFIG_*.
set -eu
set -- hosts --format rundeck -q
[ -z "${RD_CONFIG_CONFIG:-}" ] || set -- "$@" --config "$RD_CONFIG_CONFIG"
[ -z "${RD_CONFIG_HOSTS:-}" ] || set -- "$@" -- "$RD_CONFIG_HOSTS"
exec "${RD_CONFIG_PROGRAM:-muster}" "$@"
