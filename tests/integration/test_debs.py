#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Manifests of real .deb files, held against other readings of the same files.

test_debs.py BUILD_DIR [PACKAGE...]

Takes packages that are installed here, from the system's own configured source (cached in
BUILD_DIR/cache/debs), and compares each manifest with dpkg-deb's tar stream read by Python's tarfile
(type, mode, owner, size, time, link, SHA-256, MD5), then with the installed files. Ends with 77 and
the reason where fewer than 60 packages can be had.
"""
import hashlib
import io
import os
import re
import stat
import subprocess
import sys
import tarfile
import tempfile
import time

WANTED = 64
# Small, on every Debian, with set-id files, links, conffiles, diversions and aliases of /usr among them.
CHOSEN = """base-files base-passwd bash bsdutils coreutils cron dash debconf debianutils diffutils dpkg e2fsprogs
findutils git-man gpgv grep gzip hostname init-system-helpers iputils-ping login logrotate lsb-base mawk mount
ncurses-base ncurses-bin openssh-client openssh-server passwd perl-base procps sed sudo sysvinit-utils tar tzdata
util-linux zlib1g""".split()
MOVED = re.compile(rb"^/(bin|sbin|lib|lib32|lib64|libx32|libo32)(/|$)")


def skip(why):
    print("skipped: " + why)
    sys.exit(77)


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def installed():
    """name -> (version, architecture) of what is installed here, small packages only."""
    found = {}
    for line in output("dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version} ${Architecture} "
                       "${Installed-Size}\n").decode().splitlines():
        status, name, version, arch, size = (line.split() + ["0"])[:5]
        if status == "installed" and int(size) < 40000:
            found[name] = (version, arch)
    return found


def file_name(name, version, arch):
    return "%s_%s_%s.deb" % (name, version.replace(":", "%3a"), arch)


def fetch(cache, wanted):
    """As many of the wanted (name, version, arch) as the system's source still has."""
    os.makedirs(cache, exist_ok=True)
    missing = [w for w in wanted if not os.path.exists(os.path.join(cache, file_name(*w)))]
    if missing:
        # One version that the source has no more would make apt-get refuse all of them.
        listed = {tuple(f.strip() for f in line.split("|")[:2])
                  for line in output("apt-cache", "madison", *[m[0] for m in missing]).decode().splitlines()}
        there = ["%s=%s" % m[:2] for m in missing if m[:2] in listed]
        if there:
            subprocess.run(["apt-get", "download", "-qq"] + there, cwd=cache, timeout=200,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return [(w, os.path.join(cache, file_name(*w))) for w in wanted
            if os.path.exists(os.path.join(cache, file_name(*w)))]


def unescape(word):
    return re.sub(rb"\\([0-7]{3})", lambda m: bytes([int(m.group(1), 8)]), word)


def parse_manifest(text):
    entries = {}
    for line in text.split(b"\n"):
        if not line or line.startswith(b"#"):
            continue
        words = line.split(b" ")
        path = unescape(words[0])[1:] or b"/"
        assert path not in entries, path
        entries[path] = {k: v for k, _, v in (w.partition(b"=") for w in words[1:])}
    return entries


def canonical(path, is_dir):
    path = b"/" + b"/".join(p for p in path.split(b"/") if p not in (b"", b"."))
    match = MOVED.match(path)
    return b"/usr" + path if match and (match.group(2) or is_dir) else path


def words_of_tar(deb):
    """The same words from dpkg-deb's own stream."""
    tar = tarfile.open(fileobj=io.BytesIO(output("dpkg-deb", "--fsys-tarfile", deb)), errors="surrogateescape")
    entries, links = {}, {}
    for member in tar:
        kind = {tarfile.REGTYPE: b"file", tarfile.AREGTYPE: b"file", tarfile.LNKTYPE: b"file",
                tarfile.DIRTYPE: b"dir", tarfile.SYMTYPE: b"link", tarfile.CHRTYPE: b"char",
                tarfile.BLKTYPE: b"block", tarfile.FIFOTYPE: b"fifo"}[member.type]
        path = canonical(os.fsencode(member.name), kind == b"dir")
        words = {b"type": kind, b"mode": b"%04o" % member.mode, b"uname": member.uname.encode(),
                 b"gname": member.gname.encode()}
        if kind in (b"file", b"link"):
            words[b"time"] = b"%d.0" % member.mtime
        if kind == b"link":
            words[b"link"] = os.fsencode(member.linkname)
        if member.type == tarfile.LNKTYPE:
            links[path] = canonical(os.fsencode(member.linkname), False)
        elif kind == b"file":
            data = tar.extractfile(member).read()
            words[b"size"] = b"%d" % len(data)
            words[b"sha256"] = hashlib.sha256(data).hexdigest().encode()
            words[b"md5"] = hashlib.md5(data).hexdigest().encode()
        entries[path] = words
    for path, first in links.items():
        entries[path] = dict(entries[first])
    return entries


def compare_with_tar(deb, entries):
    expected, faults = words_of_tar(deb), []
    for path in sorted(set(expected) | set(entries)):
        if path not in expected or path not in entries:
            faults.append("%r only in the %s" % (path, "manifest" if path in entries else "package"))
            continue
        ours = {k: v for k, v in entries[path].items() if k != b"tags"}
        if b"link" in ours:
            ours[b"link"] = unescape(ours[b"link"])
        if ours != expected[path]:
            faults.append("%r: %r, not %r" % (path, ours, expected[path]))
    return faults


def name_of(number, file):
    import grp
    import pwd
    try:
        return (pwd.getpwuid(number).pw_name if file == "u" else grp.getgrgid(number).gr_name).encode()
    except KeyError:
        return b"#%d" % number


def compare_with_host(entries, diverted):
    """(equal, [what differs]) of the files that are installed: a clean host has few of the second."""
    equal, differs = 0, []
    for path, words in entries.items():
        if path in diverted or b"config" in words.get(b"tags", b""):
            continue
        try:
            st = os.lstat(path)
        except FileNotFoundError:
            differs.append((path, "missing"))
            continue
        what = []
        if not stat.S_ISLNK(st.st_mode) and b"%04o" % stat.S_IMODE(st.st_mode) != words[b"mode"]:
            what.append("mode %04o" % stat.S_IMODE(st.st_mode))
        if name_of(st.st_uid, "u") != unescape(words[b"uname"]) or name_of(st.st_gid, "g") != unescape(words[b"gname"]):
            what.append("owner")
        if words[b"type"] in (b"file", b"link") and b"%d.0" % int(st.st_mtime) != words[b"time"]:
            what.append("time")
        if words[b"type"] == b"file" and stat.S_ISREG(st.st_mode):
            with open(path, "rb") as file:
                if hashlib.sha256(file.read()).hexdigest().encode() != words[b"sha256"]:
                    what.append("content")
        if words[b"type"] == b"link" and (not stat.S_ISLNK(st.st_mode) or
                                          os.readlink(path) != unescape(words[b"link"])):
            what.append("link")
        if what:
            differs.append((path, " ".join(what)))
        else:
            equal += 1
    return equal, differs


def compare_with_archive(program, files):
    """What apt keeps of the archives, where Debian's keyring is installed: how many of the files they prove."""
    lists, keyring = "/var/lib/apt/lists", "/usr/share/keyrings/debian-archive-keyring.gpg"
    found = sorted(os.listdir(lists)) if os.path.isdir(lists) and os.path.exists(keyring) else []
    for release in [n for n in found if n.endswith("_InRelease")]:
        for packages in [n for n in found if n.startswith(release[:-len("InRelease")]) and "_Packages" in n]:
            done = subprocess.run([program, "--signed", os.path.join(lists, release), os.path.join(lists, packages),
                                   keyring] + files, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            print(done.stdout.strip())


def main():
    build, extra = sys.argv[1], sys.argv[2:]
    program = os.path.join(build, "tests/integration/deb_manifest")
    try:
        have = installed()
    except (OSError, subprocess.CalledProcessError):
        skip("no dpkg here")
    names = [n for n in extra or CHOSEN if n in have]
    if not extra:
        names += sorted(n for n in have if n.startswith("lib") and n not in names)[:2 * WANTED]
    packages = fetch(os.path.join(build, "cache/debs"), [(n,) + have[n] for n in names][:WANTED + 32])
    if len(packages) < min(60, len(names)) or len(packages) < (1 if extra else 60):
        skip("only %d packages of this system can be fetched: no network, or newer ones in the source" % len(packages))
    packages = packages[:WANTED] if not extra else packages
    files = [p[1] for p in packages]

    with tempfile.TemporaryDirectory() as folder:
        start = time.time()
        print(output(program, "--commit", os.path.join(folder, "baseline"), *files).decode().strip())
        print("in %.1f s" % (time.time() - start))

    lines = output("dpkg-divert", "--list").decode("utf-8", "surrogateescape").splitlines()
    diverted = {canonical(os.fsencode(line.split()[2]), False) for line in lines if line.startswith("diversion of ")}
    diverted |= {canonical(os.fsencode(line.split()[3]), False) for line in lines if line.startswith("local diversion")}
    equal, faults, differs, counted = 0, [], [], 0
    for (name, version, arch), file in packages:
        text = output(program, file)
        if ("# package %s %s %s\n" % (name, version, arch)).encode() not in text:
            faults.append("%s: another package" % file)
        entries = parse_manifest(text)
        counted += len(entries)
        faults += ["%s: %s" % (name, fault) for fault in compare_with_tar(file, entries)]
        same, other = compare_with_host(entries, diverted)
        equal += same
        differs += ["%s: %s: %s" % (name, os.fsdecode(path), what) for path, what in other]
    compare_with_archive(program, files)
    print("%d packages, %d entries: %d differ from dpkg-deb; on this host %d are equal, %d differ:" %
          (len(packages), counted, len(faults), equal, len(differs)))
    for line in faults + differs:
        print("  " + line.encode("ascii", "backslashreplace").decode())
    # What an installation changes by itself is little; more means that the manifests are wrong.
    sys.exit(1 if faults or (not extra and len(differs) * 50 > counted) else 0)


if __name__ == "__main__":
    main()
