# SPDX-License-Identifier: MIT
"""What a command costs, with all processes that it starts: CPU, wall clock, the highest sum of PSS."""
import os
import signal
import subprocess
import tempfile
import threading
import time

TIME_LIMIT_S = 1800
SAMPLE_S = 0.25


def parents():
    """pid -> ppid of every process."""
    table = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as stat:
                table[int(name)] = int(stat.read().rsplit(b")", 1)[1].split()[1])
        except (OSError, IndexError, ValueError):
            pass
    return table


def descendants(but):
    """Every process below this one, except those in `but` and what is below them."""
    table, found = parents(), set()
    for pid in table:
        chain, at = [], pid
        while at in table and at != os.getpid() and at not in but:
            chain.append(at)
            at = table[at]
        if at == os.getpid():
            found.update(chain)
    return found


def pss_kib(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as rollup:
            for line in rollup:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1])
    except (OSError, IndexError, ValueError):
        pass
    return 0


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as name:
            return name.read().strip()
    except OSError:
        return "?"


class Cost:
    def __init__(self):
        self.cpu_s = self.wall_s = 0.0
        self.peak_kib = 0
        self.peak_of = {}  # at that moment, by program
        self.status = None
        self.out = b""


class Measure:
    """Runs one command to its end, its orphans too."""

    def __init__(self, helpers):
        self.helpers = helpers  # pids that are not the tool's

    def sample(self, cost, stop):
        while not stop.wait(SAMPLE_S):
            of = {}
            for pid in descendants(self.helpers):
                of[name_of(pid)] = of.get(name_of(pid), 0) + pss_kib(pid)
            if sum(of.values()) > cost.peak_kib:
                cost.peak_kib, cost.peak_of = sum(of.values()), of

    def reap(self, cost, main):
        deadline, grace = time.monotonic() + TIME_LIMIT_S, None
        while True:
            left = descendants(self.helpers)
            if not left:
                return
            for pid in left:
                try:
                    done, status, usage = os.wait4(pid, os.WNOHANG)
                except ChildProcessError:
                    continue
                if done:
                    cost.cpu_s += usage.ru_utime + usage.ru_stime
                    if pid == main:
                        cost.status = os.waitstatus_to_exitcode(status)
                        grace = time.monotonic() + 15
            now = time.monotonic()
            if now > deadline or (grace and now > grace):
                for pid in descendants(self.helpers):
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
            # Looking at all of /proc costs: seldom while the tool itself still runs.
            time.sleep(0.02 if grace else 0.2)

    def run(self, command, env=None):
        cost, stop = Cost(), threading.Event()
        with tempfile.TemporaryFile() as out, open(os.devnull, "rb") as null:
            began = time.monotonic()
            process = subprocess.Popen(command, stdin=null, stdout=out, stderr=subprocess.STDOUT, env=env)
            sampler = threading.Thread(target=self.sample, args=(cost, stop), daemon=True)
            sampler.start()
            ended = []
            waiter = threading.Thread(target=self.watch, args=(process.pid, ended), daemon=True)
            waiter.start()
            self.reap(cost, process.pid)
            process.returncode = cost.status
            waiter.join()
            cost.wall_s = ended[0] - began
            stop.set()
            sampler.join()
            out.seek(0)
            cost.out = out.read()
        return cost

    @staticmethod
    def watch(pid, ended):
        """The wall clock stops with the command itself, not with the last of its orphans."""
        while True:
            try:
                with open(f"/proc/{pid}/stat", "rb") as stat:
                    if stat.read().rsplit(b")", 1)[1].split()[0] == b"Z":
                        break
            except OSError:
                break
            time.sleep(0.005)
        ended.append(time.monotonic())
