#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The probe as it is shipped, on file systems of its own.

    test_probe.py BUILD_DIR

Each host is a loop-mounted file system that the probe has for its "/". Needs root, loop devices and mkfs; what cannot run
here is named, and where nothing can it ends with 77. All mounts stand in a mount namespace that ends with this process.
"""
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time

PEAK_KIB = 16 * 1024
PAGE = 4096
SLICES = 3


def fail(text):
    sys.exit(f"FAILED: {text}")


def call(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        fail(f"{' '.join(command)}: {done.stdout[-1000:]}")
    return done.stdout


class Host:
    """A loop-mounted root with one dpkg package, alpha, of `count` files below /usr/lib/alpha."""

    def __init__(self, work, kind, count, size):
        self.image = f"{work}/{kind}-{count}.img"
        self.root = f"{work}/{kind}-{count}"
        self.kind = kind
        with open(self.image, "wb") as image:
            image.truncate(512 << 20)
        call(f"mkfs.{kind}", "-q", *(["-i", "2048"] if kind == "ext4" else []), self.image)
        os.mkdir(self.root)
        self.mount()
        self.fill(count, size)

    def mount(self):
        call("mount", "-o", "loop", self.image, self.root)
        if os.path.isdir(f"{self.root}/proc"):
            call("mount", "-t", "proc", "proc", f"{self.root}/proc")

    def umount(self):
        call("umount", f"{self.root}/proc")
        call("umount", self.root)

    def path(self, index):
        return f"{self.root}/usr/lib/alpha/{index // 100:03d}/file{index:06d}"

    def write(self, path, content):
        path = self.root + path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)

    def fill(self, count, size):
        os.mkdir(f"{self.root}/proc")
        for name in ("/etc/passwd", "/etc/group"):
            self.write(name, b"root:x:0:0::/root:/bin/sh\n" if name == "/etc/passwd" else b"root:x:0:\n")
        self.write("/etc/os-release", b"ID=test\n")
        self.write("/etc/closed", b"for nobody else\n")
        os.chmod(f"{self.root}/etc/closed", 0o600)
        names = ["/.", "/usr", "/usr/lib", "/usr/lib/alpha"]
        for index in range(count):
            if index % 100 == 0:
                names.append(f"/usr/lib/alpha/{index // 100:03d}")
                os.makedirs(self.root + names[-1])
            names.append(self.path(index)[len(self.root):])
            with open(self.path(index), "wb") as file:
                file.write(os.urandom(size))
        info = "/var/lib/dpkg/info/"
        self.write(info + "format", b"1\n")
        self.write(info + "alpha.list", "".join(name + "\n" for name in names).encode())
        self.write(info + "alpha.md5sums", b"")
        self.write("/var/lib/dpkg/status", b"Package: alpha\nStatus: install ok installed\nVersion: 1.0\n"
                                           b"Architecture: all\n\n")
        os.chmod(self.root, 0o755)
        call("mount", "-t", "proc", "proc", f"{self.root}/proc")
        call("sync", "-f", self.root)


class Answer:
    """What probe_full printed."""

    def __init__(self, text):
        self.value, self.section, self.coverage = {}, {}, []
        for line in text.splitlines():
            words = line.split(" ")
            fields = dict(word.split("=", 1) for word in words if "=" in word)
            if "content" in fields:
                self.section[" ".join(word for word in words if "=" not in word)] = fields
            elif words[0] == "coverage":
                self.coverage.append(line)
            elif len(words) == 2:
                self.value[words[0]] = words[1]

    def contents(self):
        return {name: fields["content"] for name, fields in self.section.items() if not name.startswith("host")}


class Bench:
    def __init__(self, build, work):
        self.build, self.work = build, work

    def probe(self, root, *options, **probe_options):
        """A whole conversation; probe_options go to probe_in."""
        script = f"{self.work}/probe"
        words = [f"{self.build}/tests/integration/probe_in", root, f"{self.build}/bin/probe-{platform.machine()}"]
        for name, value in probe_options.items():
            words += ["--" + name, str(value)]
        with open(script, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nexec " + " ".join(words) + "\n")
        os.chmod(script, 0o755)
        answer = Answer(call(f"{self.build}/tests/bench/probe_full", script, "--list", *options))
        if answer.value.get("status") != "0":
            fail(f"the probe ended with {answer.value.get('status')}")
        return answer


def resident(paths):
    """Pages of these files in the page cache."""
    total = 0
    for at in range(0, len(paths), 500):
        out = call("fincore", "--bytes", "--raw", "--noheadings", "--output", "PAGES", *paths[at:at + 500])
        total += sum(int(line) for line in out.split())
    return total


def read(paths):
    for path in paths:
        with open(path, "rb") as file:
            file.read()


def leaves_cache(bench, host, paths, refused):
    host.umount()
    host.mount()
    read(paths[::2])
    before = (resident(paths[::2]), resident(paths[1::2]))
    answer = bench.probe(host.root, "--checks", "1", **({"refuse": refused} if refused else {}))
    after = (resident(paths[::2]), resident(paths[1::2]))
    print(f"  {host.kind}, {'nothing' if not refused else refused} refused: pages of files that were in the cache "
          f"{before[0]} -> {after[0]}, of those that were not {before[1]} -> {after[1]}")
    if int(answer.value["files"]) < len(paths) or before[0] == 0 or before[1] != 0:
        fail("that measured nothing")
    return after[1] == 0 and before[0] * 95 // 100 <= after[0] <= before[0]


def page_cache(bench, host):
    """Half of the files are in the cache before: the same half is after."""
    paths = [host.path(index) for index in range(64)]
    for refused in (None, "DONTCACHE", "FLAGS", "ENOSYS"):
        # A kernel under pressure drops pages by itself now and then; a probe that did would each time.
        if not any(leaves_cache(bench, host, paths, refused) for _ in range(3)):
            fail("the page cache is not as it was")


def refused_calls(bench, host):
    """Old kernels and filters: other ways to the same digests."""
    expected = bench.probe(host.root).contents()
    if not any(name.startswith("package") for name in expected):
        fail("no package was seen")
    for refused in ("ENOSYS", "EPERM", "FLAGS", "DONTCACHE"):
        if bench.probe(host.root, refuse=refused).contents() != expected:
            fail(f"with {refused} the digests are others")


def unprivileged(bench, host):
    """Without root everything that could not be done is named."""
    answer = bench.probe(host.root, uid=65534)
    told = [line for line in answer.coverage if " partial denied" in line or " unsupported " in line]
    if not any(line.startswith("coverage tree partial denied") for line in told):
        fail(f"a file that may not be read is not told: {answer.coverage}")
    if answer.value["unread"] == "0":
        fail("nothing was unread")
    whole = bench.probe(host.root)
    if any(" denied" in line for line in whole.coverage) or whole.value["unread"] != "0":
        fail(f"root was denied something: {whole.coverage}")
    for line in told:
        print(f"  {line}")


def memory(bench, host, count):
    answer = bench.probe(host.root, "--want")
    peak = int(answer.value["peak_kib"])
    print(f"  {answer.value['files']} files: at most {peak} KiB")
    if int(answer.value["files"]) < count:
        fail("not all files were read")
    if peak > PEAK_KIB:
        fail(f"{peak} KiB are more than {PEAK_KIB}")


def package(answer):
    return next(fields for name, fields in answer.section.items() if name.startswith("package "))


def inode_times(host, path):
    """ctime with its nanoseconds as debugfs sets it."""
    out = call("debugfs", "-R", f"stat {path}", host.image)
    line = next(line for line in out.splitlines() if line.strip().startswith("ctime:"))
    seconds, extra = line.split()[1].split(":")
    return seconds, extra


def proofs(bench, host):
    return [bench.probe(host.root, "--checks", "1", "--same", "--slice", f"{part}/{SLICES}").value["proof"]
            for part in range(SLICES)]


def changed_content(bench, host):
    """Size and mtime restored: the ctime tells. The ctime forged as well: the slice does."""
    path = host.path(7)
    clean, clean_proofs = bench.probe(host.root, "--checks", "1"), proofs(bench, host)
    was = os.stat(path)
    inner = path[len(host.root):]
    if host.kind == "ext4":
        host.umount()
        ctime = inode_times(host, inner)
        host.mount()
    with open(path, "r+b") as file:
        file.write(b"\x7fELF trojan")
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    now = os.stat(path)
    if (now.st_size, now.st_mtime_ns) != (was.st_size, was.st_mtime_ns) or now.st_ctime_ns == was.st_ctime_ns:
        fail("the file could not be disguised")
    seen = bench.probe(host.root, "--checks", "1")
    if package(seen)["stat"] == package(clean)["stat"] or package(seen)["content"] == package(clean)["content"]:
        fail("a change with size and mtime restored was not seen")
    print(f"  {host.kind}: size and mtime restored: the stat digest is another, the same night")
    if host.kind != "ext4":
        print(f"  {host.kind}: a forged ctime is not tried: no tool writes it into an unmounted {host.kind}")
        return
    host.umount()
    call("debugfs", "-w", "-R", f"sif {inner} ctime @{ctime[0]}", host.image)
    call("debugfs", "-w", "-R", f"sif {inner} ctime_extra 0x{ctime[1]}", host.image)
    host.mount()
    seen = bench.probe(host.root, "--checks", "1")
    if package(seen)["stat"] != package(clean)["stat"]:
        fail(f"the ctime could not be forged: {os.stat(path).st_ctime_ns} for {was.st_ctime_ns}")
    different = [part for part, proof in enumerate(proofs(bench, host)) if proof != clean_proofs[part]]
    if len(different) != 1:
        fail(f"the forged file shows in the slices {different} of {SLICES}, not in one")
    print(f"  ext4: ctime forged too, every stat as it was: found in slice {different[0]} of {SLICES}, within the rotation")


def main():
    build = os.path.abspath(sys.argv[1])
    if os.geteuid() != 0 or not shutil.which("fincore"):
        print("skipped: needs root and fincore")
        return 77
    if len(sys.argv) == 2:
        os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, sys.argv[0], build, "inside"])
    work = tempfile.mkdtemp(prefix="muster-test.")
    bench = Bench(build, work)
    began = time.monotonic()
    try:
        if subprocess.run(["losetup", "-f"], capture_output=True, check=False).returncode:
            print("skipped: no loop devices")
            return 77
        for kind in ("ext4", "xfs", "btrfs"):
            if not shutil.which(f"mkfs.{kind}"):
                print(f"- {kind}: skipped, no mkfs.{kind}")
                continue
            host = Host(work, kind, 64, 40 * PAGE + 123)
            for test in (page_cache, refused_calls, changed_content):
                print(f"- {kind}: {test.__name__.replace('_', ' ')}")
                test(bench, host)
            if kind == "ext4":
                print("- unprivileged: what could not be done is named")
                unprivileged(bench, host)
            host.umount()
        host = Host(work, "ext4", 40000, 100)
        print("- memory on a large tree")
        memory(bench, host, 40000)
        host.umount()
    finally:
        # The namespace takes the mounts along.
        subprocess.run(["umount", "-R", "-l", *[entry.path for entry in os.scandir(work) if entry.is_dir()]],
                       capture_output=True, check=False)
        shutil.rmtree(work, ignore_errors=True)
    print(f"{time.monotonic() - began:.0f} s")
    return 0


sys.exit(main())
