#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_resume.py BUILD [KILLS]: a sweep killed again and again, and gone on with, loses and repeats nothing."""
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

HOSTS, PARALLEL = 60, 4


def figures(simulator):
    simulator.send_signal(signal.SIGUSR2)
    return dict(word.split(b"=") for word in simulator.stdout.readline().split())


def start(build, work, port):
    simulator = subprocess.Popen(
        [f"{build}/tests/bench/fleet_sim", "--port", str(port), "--key", f"{work}/host", "--hosts", str(HOSTS),
         "--packages", "30", "--files", "3", "--roles", "3"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if simulator.stdout.readline() != b"ready\n":
        sys.exit("FAIL fleet_sim does not start")
    return simulator


def rows(database):
    """The hosts of the newest run by name: how often, and their outcome."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        return db.execute(
            "SELECT h.name, count(*), max(t.value) FROM host_run r JOIN host h ON h.id = r.host "
            "JOIN text t ON t.id = r.outcome WHERE r.run = (SELECT max(id) FROM run) GROUP BY h.name").fetchall()


def finished(database):
    if not os.path.exists(database):
        return set()
    try:
        return {name for name, _, outcome in rows(database) if outcome in ("clean", "findings")}
    except sqlite3.Error:
        return set()  # the tables are being made


def main():
    build = os.path.abspath(sys.argv[1])
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 6
    if not os.path.exists(f"{build}/tests/bench/fleet_sim"):
        print("SKIPPED: needs libssh")
        sys.exit(77)
    dice = random.Random(int(os.environ.get("SEED", "20261121")))
    work = tempfile.mkdtemp(prefix="muster-resume.")
    simulator = None
    failures = []

    def check(what, good, detail=""):
        print(("ok   " if good else "FAIL ") + what + (f": {detail}" if detail and not good else ""))
        if not good:
            failures.append(what)

    try:
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{work}/{name}"], check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with open(f"{work}/host.pub", encoding="ascii") as key:
            blob = " ".join(key.read().split()[:2])
        with open(f"{work}/known_hosts", "w", encoding="ascii") as known:
            known.write(f"[127.*]:{port} {blob}\n")
        with open(f"{work}/hosts", "w", encoding="ascii") as hosts:
            hosts.writelines(f"127.1.0.{i + 1}\n" for i in range(HOSTS))
        simulator = start(build, work, port)
        database = f"{work}/m.db"
        command = [f"{build}/bin/muster", "sweep", "-i", f"{work}/hosts", "--db", database, "--known-hosts",
                   f"{work}/known_hosts", "--identity", f"{work}/user", "--ssh-config", "none", "--port", str(port),
                   "--user", "root", "--parallel", str(PARALLEL), "--format", "ndjson", "--quiet"]
        more, kept, killed, interrupted = [], set(), 0, 0
        while killed + interrupted < kills and len(kept) < HOSTS - 12:
            before = len(kept)
            with open(f"{work}/out", "wb") as out:
                process = subprocess.Popen(command + more, stdout=out, stderr=subprocess.STDOUT)
                # At a random point: in the middle of the next few hosts, or soon after the start.
                wanted = before + dice.randrange(0, 6)
                deadline = time.monotonic() + 60
                while process.poll() is None and time.monotonic() < deadline:
                    if len(finished(database)) >= wanted:
                        break
                    time.sleep(0.002)
                time.sleep(dice.random() * 0.05)
                if process.poll() is not None:
                    break
                polite = dice.random() < 0.2
                process.send_signal(signal.SIGINT if polite else signal.SIGKILL)
                status = process.wait(60)
            killed += not polite
            interrupted += polite
            done = finished(database)
            check(f"kill {killed + interrupted}: {len(done)} hosts kept", kept <= done, kept - done)
            kept = done
            with sqlite3.connect(database) as db:
                words = db.execute("PRAGMA integrity_check").fetchone()[0]
                broken = db.execute("PRAGMA foreign_key_check").fetchall()
                begun = db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'run'").fetchone()[0] and \
                    db.execute("SELECT count(*) FROM run").fetchone()[0]
            check("the database is whole", words == "ok" and not broken, words)
            more = ["--resume", "latest"] if begun else []
        check("it was killed often enough", killed + interrupted >= min(kills, 3), killed + interrupted)
        before = int(figures(simulator)[b"conversations"])
        last = subprocess.run(command + more, stdout=subprocess.PIPE, check=False)
        check("the last sweep ends well", last.returncode in (0, 1), last.stdout[-500:])
        after = int(figures(simulator)[b"conversations"])
        check("only those that were missing are looked at", after - before == HOSTS - len(kept),
              f"{after - before}, missing were {HOSTS - len(kept)}")
        result = rows(database)
        check("no host is lost", len(result) == HOSTS, len(result))
        check("none is in the run twice", all(count == 1 for _, count, _ in result))
        check("each was looked at whole", all(word in ("clean", "findings") for _, _, word in result), result)
        told = last.stdout.count(b'"type":"host"')
        check("the report has every host once", told == HOSTS, told)
        check("nothing is left to resume", subprocess.run(command + ["--resume", "latest"], capture_output=True,
                                                          check=False).returncode == 2)
        with sqlite3.connect(database) as db:
            check("it is one run", db.execute("SELECT count(*) FROM run").fetchone()[0] == 1)
        print(f"{killed} times killed, {interrupted} times interrupted, {after} conversations for {HOSTS} hosts")
    finally:
        if simulator:
            simulator.kill()
            simulator.wait()
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
