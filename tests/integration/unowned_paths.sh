#!/bin/sh
# SPDX-License-Identifier: MIT
# How many paths below the roots no line of dpkg's lists names. Runs inside a host.
set -eu
cd /
cat /var/lib/dpkg/info/*.list | sed -E 's:^/(bin|sbin|lib|lib32|lib64|libx32)/:/usr/\1/:' | LC_ALL=C sort -u >/tmp/owned
find /boot /etc /usr /opt /root /var/spool/cron | LC_ALL=C sort -u | LC_ALL=C comm -13 /tmp/owned - | wc -l
rm /tmp/owned
