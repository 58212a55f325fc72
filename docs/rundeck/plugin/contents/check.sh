#!/bin/sh
# SPDX-License-Identifier: MIT
# Node step: runs on the server, once for each node. Nothing runs on the node but muster's probe.
set -eu
# A node's name is a host's name here, and no notation for others: no range, no group, no option.
case ${RD_NODE_NAME:-} in
'' | -* | *[!A-Za-z0-9._:-]*)
	echo "muster: the node's name is no host name (letters, digits, . _ : -)"
	exit 2
	;;
esac
set -- check --format rundeck --fail-on "${RD_CONFIG_FAIL_ON:-medium}"
[ -z "${RD_CONFIG_CONFIG:-}" ] || set -- "$@" --config "$RD_CONFIG_CONFIG"
[ "${RD_CONFIG_FULL:-false}" != true ] || set -- "$@" --full
exec "${RD_CONFIG_PROGRAM:-muster}" "$@" -- "$RD_NODE_NAME"
