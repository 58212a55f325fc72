#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long `muster baseline import --mirror` takes and how much memory, beside what only reads the same files.

import.py MUSTER [PACKAGES]              a signed mirror of PACKAGES (3000) small packages, made for it
import.py MUSTER --folder DEBS LISTS KEYRING   a folder of real ones

Each imported twice: the second time the baseline has all of it. The peer decompresses every data member and takes its
SHA-256 (dpkg-deb --fsys-tarfile | sha256sum), which any import must at least do. Needs gpg, gpgv, xz and git.
"""
import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import time

FILES = 20


def run(command, **options):
    """(seconds, CPU seconds, peak MiB, what it prints) of a child."""
    start = time.time()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = usage.ru_maxrss / 1024
    if process.returncode not in (0, 3):
        sys.exit(out)
    return time.time() - start, usage.ru_utime + usage.ru_stime, peak, out


def ar_member(name, data):
    return (b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (name, 0, 0, 0, b"100644", len(data)) + data +
            (b"\n" if len(data) % 2 else b""))


def tar_gz(files):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in files:
            info = tarfile.TarInfo("./" + name)
            info.size, info.mtime, info.uname, info.gname = len(data), 1700000000, "root", "root"
            tar.addfile(info, io.BytesIO(data))
    return gzip.compress(raw.getvalue(), 1, mtime=0)


def make_deb(name, number):
    files = [("usr/share/%s/file%d" % (name, i), b"%d %d\n" % (number, i) * 200) for i in range(FILES)]
    sums = b"".join(b"%s  %s\n" % (hashlib.md5(d).hexdigest().encode(), n.encode()) for n, d in files)
    control = ("Package: %s\nVersion: 1.0-%d\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n"
               % (name, number)).encode()
    return (b"!<arch>\n" + ar_member(b"debian-binary", b"2.0\n") +
            ar_member(b"control.tar.gz", tar_gz([("control", control), ("md5sums", sums)])) +
            ar_member(b"data.tar.gz", tar_gz(files)))


def make_mirror(folder, count):
    index = os.path.join(folder, "m/dists/stable/main/binary-all")
    os.makedirs(index)
    os.makedirs(os.path.join(folder, "m/pool"))
    stanzas = []
    for number in range(count):
        name = "package%05d" % number
        deb = make_deb(name, number)
        with open(os.path.join(folder, "m/pool", name + ".deb"), "wb") as file:
            file.write(deb)
        stanzas.append("Package: %s\nVersion: 1.0-%d\nArchitecture: all\nFilename: pool/%s.deb\nSize: %d\nSHA256: %s\n\n"
                       % (name, number, name, len(deb), hashlib.sha256(deb).hexdigest()))
    packages = "".join(stanzas).encode()
    with open(os.path.join(index, "Packages"), "wb") as file:
        file.write(packages)
    release = ("Origin: Bench\nSuite: stable\nCodename: bench\nDate: Sat, 21 Nov 2026 00:00:00 UTC\nSHA256:\n"
               " %s %d main/binary-all/Packages\n" % (hashlib.sha256(packages).hexdigest(), len(packages)))
    home = dict(os.environ, GNUPGHOME=os.path.join(folder, "gpg"))
    os.mkdir(home["GNUPGHOME"], 0o700)
    gpg = ["gpg", "--batch", "--quiet", "--passphrase", ""]
    subprocess.run(gpg + ["--quick-gen-key", "bench", "ed25519"], env=home, check=True, stderr=subprocess.DEVNULL)
    keyring = os.path.join(folder, "bench.gpg")
    subprocess.run(gpg + ["--output", keyring, "--export", "bench"], env=home, check=True)
    subprocess.run(gpg + ["--clearsign", "--output", os.path.join(folder, "m/dists/stable/InRelease")], env=home,
                   input=release.encode(), check=True)
    subprocess.run(["gpgconf", "--kill", "all"], env=home, check=False)
    return ["--mirror", os.path.join(folder, "m"), "--keyring", keyring], os.path.join(folder, "m/pool")


def main():
    muster, arguments = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        baseline = os.path.join(folder, "baseline")
        environment = dict(os.environ, HOME=folder, XDG_CONFIG_HOME=folder, GIT_CONFIG_GLOBAL=os.path.join(folder, "git"))
        with open(os.path.join(folder, "git"), "w", encoding="ascii") as file:
            file.write("[user]\n\tname = Bench\n\temail = bench@localhost\n")
        if arguments and arguments[0] == "--folder":
            debs = arguments[1]
            options = ["--mirror", debs, "--lists", arguments[2], "--keyring", arguments[3]]
        else:
            options, debs = make_mirror(folder, int(arguments[0]) if arguments else 3000)
        with open(os.path.join(folder, ".gitconfig"), "w", encoding="ascii") as file:
            file.write("[user]\n\tname = Bench\n\temail = bench@localhost\n")
        run([muster, "init", baseline], env=environment)
        names = [os.path.join(debs, n) for n in os.listdir(debs) if n.endswith(".deb")]
        size = sum(os.path.getsize(n) for n in names)
        print("%d packages, %.1f MiB" % (len(names), size / 2**20))
        peer = run(["sh", "-c", 'for f in "$1"/*.deb; do dpkg-deb --fsys-tarfile "$f" | sha256sum; done >/dev/null',
                    "sh", debs])
        print("%-22s %6.1f s, %6.1f s CPU" % ("dpkg-deb | sha256sum", peer[0], peer[1]))
        for what in ("import", "import again"):
            seconds, cpu, peak, out = run([muster, "baseline", "import", "--quiet", "--baseline", baseline] + options,
                                          env=environment)
            print("%-22s %6.1f s, %6.1f s CPU (%.2f of the peer), peak %.0f MiB: %s"
                  % (what, seconds, cpu, cpu / peer[1], peak, out.strip().splitlines()[0]))
        pack = subprocess.run(["git", "-C", baseline, "count-objects", "-v"], stdout=subprocess.PIPE, text=True,
                              check=True).stdout.split()
        print("git: %s loose objects, %s KiB" % (pack[1], pack[3]))


if __name__ == "__main__":
    main()
