#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_hostile_fleet.py BUILD [HOSTS]: every third simulated host misbehaves; each ends in its own state, the others whole."""
import collections
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

# behaviour (tests/bench/sim/talk.h): the states it may end in
EXPECTED = {
    "well": {"clean", "findings"},
    "slow": {"clean", "findings"},
    "mute": {"timeout"},
    "hang-up": {"lost"},
    "other-key": {"key-mismatch"},
    "no-login": {"auth-failed"},
    "babble": {"over-limit"},
    "no-probe": {"exec-denied"},
    "giant": {"protocol-error"},
    "half": {"killed"},
    "unsorted": {"protocol-error"},
    "bad-object": {"protocol-error"},
    "bad-stream": {"protocol-error"},
    "flood": {"protocol-error"},
}


def main():
    build = os.path.abspath(sys.argv[1])
    hosts = sys.argv[2] if len(sys.argv) > 2 else "90"
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
            swept = subprocess.run(
                [f"{build}/bin/muster", "sweep", "-i", f"{work}/hosts", "--db", f"{work}/m.db", "--known-hosts",
                 f"{work}/known_hosts", "--identity", f"{work}/user", "--ssh-config", "none", "--port", str(port),
                 "--user", "root", "--parallel", "40", "--connect-timeout", "4s", "--format", "ndjson", "--quiet"],
                capture_output=True, check=False, timeout=240)
            simulator.kill()
        told = collections.defaultdict(collections.Counter)
        for line in swept.stdout.splitlines():
            row = json.loads(line)
            if row["type"] == "host":
                told[behaviour.pop(row["host"])][row["state"]] += 1
        for name in sorted(told):
            good = set(told[name]) <= EXPECTED[name]
            failures += not good
            print(f"{'ok  ' if good else 'FAIL'} {name}: {dict(told[name])}" + ("" if good else f", not {EXPECTED[name]}"))
        if behaviour or swept.returncode not in (1, 3):
            print(f"FAIL hosts without a state: {behaviour}, exit {swept.returncode}: {swept.stderr[-500:]}")
            failures += 1
    finally:
        if simulator and simulator.poll() is None:
            simulator.kill()
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
