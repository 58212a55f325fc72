#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_hostile_fleet.py BUILD [HOSTS]: every third simulated host misbehaves; each ends in its own state, the others whole.

The table is the one of docs/hostile-hosts.md, word for word: neither can be changed without the other. 1,000 hosts and the
memory beside that of a fleet without hostile hosts: give a number of hosts of at least 1000, and a build that is optimised.
"""
import collections
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOOKED = ("clean", "findings")
MOST_KIB = 1536 * 1024  # of one process; the sanitizers keep what is freed

# behaviour (tests/bench/sim/talk.h): what it does, the state it must end in (None: looked at whole), words of the reason
EXPECTED = {
    "well": ("an honest host", None, ""),
    "slow": ("waits before each answer", None, ""),
    "skewed": ("its clock is three years ahead", None, ""),
    "twin": ("has the machine id of another host", None, ""),
    "mute": ("takes the connection and says nothing", "timeout", "no answer in time"),
    "hang-up": ("closes the connection at once", "lost", ""),
    "other-key": ("shows another host key than the pinned one", "key-mismatch", "host key changed"),
    "no-login": ("refuses every key", "auth-failed", "none of 1 keys"),
    "no-shell": ("answers with a word and a status instead of a shell", "shell-refused", "not available"),
    "babble": ("output without end instead of a shell's answer", "over-limit", "without end"),
    "no-probe": ("ends with a status instead of starting the probe", "exec-denied", "did not start"),
    "noise": ("text where a message should be", "protocol-error", "impossible length"),
    "giant": ("announces a message of two gigabytes", "protocol-error", "impossible length"),
    "half": ("stops in the middle of a message", "killed", "middle of a message"),
    "unsorted": ("a list of sections out of order", "protocol-error", ""),
    "bad-object": ("claims digests that it cannot show, or as bad a proof", "protocol-error",
                   "not what its digest says"),
    "bad-stream": ("a wrong digest over its stream", "protocol-error", "stream"),
    "replay": ("the stream of another session", "protocol-error", "stream"),
    "flood": ("coverage without end", "protocol-error", "coverage"),
    "silent": ("says nothing of what it looked at", "partial", "not a word"),
    "false-gap": ("leaves out /usr for a mount that it does not have", "partial", "left out"),
}


def documented():
    """The table of the documentation, by behaviour."""
    rows = {}
    with open(f"{TOP}/docs/hostile-hosts.md", encoding="utf-8") as page:
        for line in page:
            match = re.fullmatch(r"\| ([^|]+) \| ([^|]+) \| `test_hostile_fleet\.py`: `([a-z-]+)` \|\n", line)
            if match:
                rows[match.group(3)] = (match.group(1), match.group(2).strip("`"))
    return rows


def sweep(command):
    """Exit code, output, and the most memory that one of its processes had."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        out = process.stdout.read()
        err = process.stderr.read()
        _, status, use = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, out, err, use.ru_maxrss


def main():
    build = os.path.abspath(sys.argv[1])
    hosts = sys.argv[2] if len(sys.argv) > 2 else "260"
    simulator, failures = None, 0
    if not os.path.exists(f"{build}/tests/bench/fleet_sim"):
        print("SKIPPED: needs libssh")
        sys.exit(77)
    work = tempfile.mkdtemp(prefix="muster-hostile.")
    try:
        for name in ("host", "other", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{work}/{name}"], check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        fleet = [f"{build}/tests/bench/fleet_sim", "--port", str(port), "--key", f"{work}/host", "--other-key",
                 f"{work}/other", "--hosts", hosts, "--packages", "45", "--files", "4", "--roles", "2", "--hostile",
                 "300", "--dead", "50", "--slow", "50", "--latency", "200"]
        behaviour = dict(line.split() for line in
                         subprocess.run(fleet + ["--show"], check=True, capture_output=True, text=True).stdout.split("\n")
                         if line)
        with open(f"{work}/host.pub", encoding="ascii") as key:
            blob = " ".join(key.read().split()[:2])
        with open(f"{work}/known_hosts", "w", encoding="ascii") as known:
            known.write(f"[127.*]:{port} {blob}\n")
        with open(f"{work}/hosts", "w", encoding="ascii") as to:
            to.writelines(f"{address}\n" for address in behaviour)
        with subprocess.Popen(fleet, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as simulator:
            simulator.stdout.readline()
            command = [f"{build}/bin/muster", "sweep", "--known-hosts", f"{work}/known_hosts", "--identity",
                       f"{work}/user", "--ssh-config", "none", "--port", str(port), "--user", "root",
                       "--connect-timeout", "4s", "--format", "ndjson", "--quiet"]
            code, out, err, most_kib = sweep(command + ["-i", f"{work}/hosts", "--db", f"{work}/m.db", "--parallel", "40"])
            honest = [address for address, kind in behaviour.items() if kind == "well"][:60]
            with open(f"{work}/honest", "w", encoding="ascii") as to:
                to.writelines(f"{address}\n" for address in honest)
            _, few, few_err, _ = sweep(["prlimit", "--nofile=64:64"] + command +
                                       ["-i", f"{work}/honest", "--db", f"{work}/few.db", "--parallel", "60"])
            beside = None
            if int(hosts) >= 1000:
                with open(f"{work}/well", "w", encoding="ascii") as to:
                    to.writelines(f"{address}\n" for address, kind in behaviour.items() if kind == "well")
                _, _, _, beside = sweep(command + ["-i", f"{work}/well", "--db", f"{work}/well.db", "--parallel", "40"])
            simulator.kill()
        told, reasons, dumb = collections.defaultdict(collections.Counter), {}, []
        everybody = len(behaviour)
        for line in out.splitlines():
            row = json.loads(line)
            if row["type"] == "host":
                kind = behaviour.pop(row["host"])
                told[kind][row["state"]] += 1
                if row["state"] not in LOOKED:
                    reasons[kind] = row["reason"]
                    if not row["advice"] or not row["reason"]:
                        dumb.append(row["host"])
        pages = documented()
        print(f"{'behaviour':11} {'expected':15} observed")
        for name, (does, state, words) in EXPECTED.items():
            seen = set(told[name])
            good = bool(seen) and (seen <= set(LOOKED) if state is None else seen == {state})
            good = good and (state is None or words in reasons.get(name, ""))
            page = (does, state or "looked at whole")
            if pages.get(name) != page:
                good = False
                print(f"docs/hostile-hosts.md has {pages.get(name)}, not {page}")
            failures += not good
            print(f"{name:11} {state or 'whole':15} {dict(told[name])} {reasons.get(name, '')[:60]}"
                  f"{'' if good else '   FAIL'}")
        few_looked = sum(row["type"] == "host" and row["state"] in LOOKED for row in map(json.loads, few.splitlines()))
        with sqlite3.connect(f"{work}/m.db") as db:
            whole = db.execute("PRAGMA integrity_check").fetchone()[0]
            rows = db.execute("SELECT count(*) FROM host_run").fetchone()[0]
        for what, good in (
                ("every host has a state", not behaviour),
                ("every behaviour was met and is known", set(told) == set(EXPECTED) and set(pages) == set(EXPECTED)),
                ("each that was not looked at says why and what to do", not dumb),
                ("the exit code is none of a clean fleet", code in (1, 3)),
                ("the database is whole and has them all", whole == "ok" and rows == everybody),
                (f"with few descriptors: {few_looked} of {len(honest)} looked at{few_err[-200:] or ''}",
                 few_looked == len(honest)),
                (f"memory: {most_kib // 1024} MiB at most", most_kib < MOST_KIB)):
            print(f"{'ok  ' if good else 'FAIL'} {what}")
            failures += not good
        if beside is not None:
            good = most_kib < beside * 3 // 2
            print(f"{'ok  ' if good else 'FAIL'} memory of the honest ones alone: {beside // 1024} MiB at most")
            failures += not good
        if failures:
            print(f"exit {code}: {err[-500:]}")
    finally:
        if simulator and simulator.poll() is None:
            simulator.kill()
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
