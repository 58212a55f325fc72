#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_key_bytes.py BUILD: while muster-ssh holds sessions that are logged in, its memory has no byte of the private key."""
import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

REGION_MOST = 1 << 30  # a sanitizer's shadow: address space, no memory


def seed_of(path):
    """The 32 bytes that are an ed25519 key, out of OpenSSH's file: the public key stands before and behind them."""
    with open(path, encoding="ascii") as file:
        blob = base64.b64decode("".join(file.read().split("\n")[1:-2]))
    with open(path + ".pub", encoding="ascii") as file:
        public = base64.b64decode(file.read().split()[1])[-32:]
    at = blob.rindex(public) - 32
    if blob.count(public) != 3:
        sys.exit("FAIL the key's file is not as expected")
    return blob[at:at + 32]


def holds(pid, needle):
    """How often a process has it, and how much of it was read."""
    count, size = 0, 0
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            words = line.split()
            begin, end = (int(word, 16) for word in words[0].split("-"))
            if "r" not in words[1] or "w" not in words[1] or end - begin > REGION_MOST:
                continue
            try:
                memory.seek(begin)
                data = memory.read(end - begin)
            except OSError:
                continue
            size += len(data)
            count += data.count(needle)
    return count, size


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def figures(simulator):
    simulator.send_signal(signal.SIGUSR2)
    return dict(word.split(b"=") for word in simulator.stdout.readline().split())


def main():
    build = os.path.abspath(sys.argv[1])
    if not os.path.exists(f"{build}/tests/bench/fleet_sim"):
        print("SKIPPED: needs libssh")
        sys.exit(77)
    if os.geteuid() != 0:
        print("SKIPPED: needs root to read the memory of others")
        sys.exit(77)
    work = tempfile.mkdtemp(prefix="muster-key.")
    simulator = sweep = None
    failures = 0

    def check(what, good):
        nonlocal failures
        print(f"{'ok  ' if good else 'FAIL'} {what}")
        failures += not good

    try:
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{work}/{name}"], check=True)
        seed = seed_of(f"{work}/user")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with open(f"{work}/host.pub", encoding="ascii") as key:
            blob = " ".join(key.read().split()[:2])
        with open(f"{work}/known_hosts", "w", encoding="ascii") as known:
            known.write(f"[127.*]:{port} {blob}\n")
        # Each answer takes a minute: the sessions stay as they are, logged in.
        simulator = subprocess.Popen(
            [f"{build}/tests/bench/fleet_sim", "--port", str(port), "--key", f"{work}/host", "--hosts", "4", "--packages",
             "20", "--files", "2", "--roles", "1", "--slow", "1000", "--latency", "60000"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        simulator.stdout.readline()
        sweep = subprocess.Popen(
            [f"{build}/bin/muster", "check", "127.1.0.1", "127.1.0.2", "127.1.0.3", "127.1.0.4", "--db", f"{work}/m.db",
             "--known-hosts", f"{work}/known_hosts", "--identity", f"{work}/user", "--ssh-config", "none", "--port",
             str(port), "--user", "root"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # Who sent the probe is logged in; the answer to what comes then takes a minute.
        deadline = time.monotonic() + 60
        while int(figures(simulator)[b"uploads"]) < 4 and time.monotonic() < deadline:
            time.sleep(0.05)
        now = figures(simulator)
        check("four sessions are logged in", int(now[b"uploads"]) == 4 and int(now[b"open"]) == 4)
        found, size = holds(sweep.pid, seed)
        check(f"the parent has the key, so that the search can find it ({size >> 20} MiB read)", found > 0)
        helpers = children(sweep.pid)
        check("muster-ssh runs", helpers)
        for pid in helpers:
            found, size = holds(pid, seed)
            check(f"no byte of the private key in muster-ssh ({size >> 20} MiB read)", found == 0 and size > 1 << 20)
            for part in (seed[:16], seed[16:]):
                check("nor half of it", holds(pid, part)[0] == 0)
    finally:
        for process in (sweep, simulator):
            if process:
                process.kill()
                process.wait()
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
