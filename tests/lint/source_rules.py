#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Rules about the source tree that no compiler checks.

source_rules.py layers    which folder may include which, and which folder alone sees a library
source_rules.py headers   each header compiles alone
source_rules.py files     SPDX line, length, exit(), hash tables, absolute paths of the checkout, registries' hosts
"""
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Arrows run downward only. A folder always sees itself.
LAYERS = {
    "schema": [],
    "payloads": ["schema"],
    "baselines": ["schema"],
    "controller/config": ["baselines", "schema"],
    "controller/inventory": ["controller/config", "baselines", "schema"],
    "controller/judge": ["schema"],
    "controller/store": ["schema"],
    # What both sides of the socketpair know; muster's side of it; and apart from it muster-ssh, which holds no key.
    "controller/ssh": ["schema"],
    "controller/ssh/keys": ["controller/ssh", "schema"],
    "controller/ssh/route": ["controller/ssh/keys", "controller/ssh", "schema"],
    "controller/ssh/openssh": ["controller/ssh/keys", "controller/ssh/route", "controller/ssh", "schema"],
    "controller/ssh/pool": ["controller/ssh/keys", "controller/ssh/openssh", "controller/ssh/route",
                            "controller/ssh", "schema"],
    "controller/ssh/session": ["controller/ssh", "schema"],
    "controller/report": ["controller/judge", "controller/store", "controller/inventory", "schema"],
    "controller/fleet": ["controller/judge", "controller/store", "controller/inventory",
                         "controller/config", "baselines", "schema"],
    "controller/cmd": ["controller/fleet", "controller/ssh", "controller/ssh/keys", "controller/ssh/openssh",
                       "controller/ssh/pool", "controller/ssh/route", "controller/report", "controller/judge",
                       "controller/store", "controller/inventory", "controller/config",
                       "baselines", "schema"],
    "controller": ["controller/cmd", "schema"],
}
# Single headers that cross the table: what two neighbours say to each other.
EXCEPTIONS = {
    "controller/judge": ["baselines/arena.h", "baselines/manifest.h", "baselines/policy.h",
                         "baselines/records.h", "baselines/rpm/header.h", "baselines/rpm/manifest.h", "baselines/rpm/proof.h",
                         "baselines/rpm/section.h", "baselines/usrmerge.h"],
    "controller/store": ["baselines/arena.h", "baselines/manifest.h", "baselines/policy.h",
                         "baselines/records.h", "baselines/rpm/proof.h", "controller/judge/finding.h",
                         "controller/judge/fleet.h", "controller/judge/judge.h",
                         "controller/judge/observation.h"],
    "controller/ssh": ["controller/fleet/transport.h", "payloads/status.h"],
    "controller/ssh/pool": ["controller/fleet/transport.h"],
    "controller/ssh/route": ["controller/fleet/transport.h"],
    "controller/fleet": ["controller/ssh/framer.h", "controller/ssh/helper.h",
                         "controller/ssh/piped.h", "controller/ssh/probe_end.h"],
}

# A library is seen by these folders alone; one that is missing here may be seen nowhere.
LIBRARIES = {
    r"git2(/.*)?\.h": ["baselines"],
    r"archive(_entry)?\.h": ["baselines"],
    r"libssh2.*\.h": ["controller/ssh/session"],
    r"sqlite3\.h": ["controller/store"],
    r"zstd\.h": ["controller/store"],
    r"yaml\.h": ["baselines"],
    r"jansson\.h": ["baselines", "controller"],
    r"uv\.h": ["controller/fleet", "controller/ssh", "controller/cmd"],
    r"ut(hash|list|array)\.h": ["baselines", "controller"],
    r"openssl/.*\.h": ["baselines", "controller"],
}
# What the probe and schema may use of libc is all of it but this.
NOT_IN_SCHEMA = re.compile(r"\b(malloc|calloc|realloc|strdup|free|fopen|f?printf|puts)\s*\(")

SPDX = "SPDX-License-Identifier: MIT"
LINES_MAX = 900
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.M)


def tracked(*suffixes):
    out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                         cwd=TOP, check=True, stdout=subprocess.PIPE).stdout
    names = [os.fsdecode(n) for n in out.split(b"\0") if n]
    names = [n for n in names if os.path.isfile(os.path.join(TOP, n))]
    return sorted(n for n in names if not suffixes or n.endswith(suffixes))


def read(name):
    with open(os.path.join(TOP, name), encoding="utf-8", errors="replace") as file:
        return file.read()


def folder_of(name):
    """The layer a file belongs to: the longest entry of LAYERS that is its path's start."""
    fits = [f for f in LAYERS if name.startswith(f + "/")]
    return max(fits, key=len) if fits else None


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def project_include_fault(name, folder, include):
    if not os.path.exists(os.path.join(TOP, include)):
        return "not found from the root of the tree"
    if folder is None:
        return None
    seen = folder_of(include)
    if seen == folder or seen in LAYERS[folder]:
        return None
    if include in EXCEPTIONS.get(folder, []):
        return None
    return "%s may not see %s" % (folder, seen or os.path.dirname(include) or include)


def library_include_fault(folder, include):
    if folder is None:
        return None
    for pattern, folders in LIBRARIES.items():
        if re.fullmatch(pattern, include):
            if any(folder == f or folder.startswith(f + "/") for f in folders):
                return None
            return "<%s> belongs to %s alone" % (include, ", ".join(folders))
    return None


def check_layers():
    for name in tracked(".c", ".h"):
        text = read(name)
        folder = folder_of(name)
        for match in INCLUDE.finditer(text):
            if match.group(1):
                fault = project_include_fault(name, folder, match.group(1))
            else:
                fault = library_include_fault(folder, match.group(2))
            if fault:
                yield "%s:%d: %s" % (name, line_of(text, match.start(1 if match.group(1) else 2)), fault)
        if folder == "schema":
            for match in NOT_IN_SCHEMA.finditer(strip_comments(text)):
                yield "%s: %s has no place in schema/" % (name, match.group(1))


def strip_comments(text):
    """Comments blanked, so that positions and lines stay."""
    blank = lambda m: re.sub(r"[^\n]", " ", m.group(0))
    return re.sub(r"/\*.*?\*/|//[^\n]*", blank, text, flags=re.S)


def header_flags():
    flags = ["-std=gnu17", "-D_GNU_SOURCE=", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
             "-I", TOP]
    for deps in (os.environ.get("MUSTER_DEPS"), os.path.join(TOP, "build/deps")):
        if deps and os.path.isdir(os.path.join(deps, "libssh2/usr/include")):
            flags += ["-isystem", os.path.join(deps, "libssh2/usr/include")]
    return flags


def check_headers():
    compiler = shlex.split(os.environ.get("CC", "cc"))
    flags = header_flags()

    def compile_alone(name):
        # Through a one-line source: a header given as the main file draws warnings of its own.
        source = '#include "%s"\n' % name
        return name, subprocess.run(compiler + flags + ["-x", "c", "-"], cwd=TOP, text=True,
                                    input=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    with ThreadPoolExecutor(2) as pool:
        for name, result in pool.map(compile_alone, tracked(".h")):
            if result.returncode != 0:
                yield "%s: does not compile alone\n%s" % (name, result.stdout.rstrip())


def wants_spdx(name):
    if "/corpus/" in name or "/data/" in name:
        return False
    base = os.path.basename(name)
    if base in ("LICENSE", "CMakePresets.json", ".gitignore"):
        return False
    return not name.endswith((".md", ".json"))


def is_text(name):
    with open(os.path.join(TOP, name), "rb") as file:
        return b"\0" not in file.read(8192)


def checkout_paths():
    """Folders that hold this checkout: a path under them names one machine."""
    common = subprocess.run(["git", "rev-parse", "--path-format=absolute", "--git-common-dir"],
                            cwd=TOP, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    paths = {os.path.dirname(TOP), os.path.dirname(os.path.dirname(common))}
    usual = {"/", "/root", "/home", "/tmp", "/usr", "/usr/src", "/var", "/srv", "/opt", "/mnt", "/build"}
    return [p + "/" for p in paths if p not in usual]


def check_files():
    paths = checkout_paths()
    for name in tracked():
        if "/corpus/" in name or not is_text(name):
            continue
        text = read(name)
        lines = text.split("\n")
        first = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
        if wants_spdx(name) and SPDX not in first:
            yield "%s:1: the first line is not `%s`" % (name, SPDX)
        if name.endswith((".c", ".h", ".py")) and len(lines) > LINES_MAX:
            yield "%s: %d lines, more than %d: split it" % (name, len(lines), LINES_MAX)
        if text and not text.endswith("\n") and "/data/" not in name:
            yield "%s: no newline at its end" % name
        for path in paths:
            if path in text:
                yield "%s: names a path of this machine (%s)" % (name, path)
        if is_script(name):
            for number, line in enumerate(lines, 1):
                if re.search(r"https?://[a-z0-9]", line):
                    yield "%s:%d: a host name in a script: take it from the system's configuration" % (
                        name, number)
        if name.endswith(".c") and os.path.basename(name) != "main.c" and folder_of(name) not in (None, "payloads"):
            code = strip_comments(text)
            for match in re.finditer(r"(?<![\w.])_?exit\s*\(", code):
                yield "%s:%d: exit() belongs to main.c" % (name, line_of(code, match.start()))
        if name.endswith(".c"):
            for number, line in enumerate(lines, 1):
                if re.search(r"\bHASH_ADD", line) and not any("hh.tbl" in near for near in lines[number:number + 4]):
                    yield "%s:%d: is it in the table (hh.tbl), or was there no memory?" % (name, number)


def is_script(name):
    return (name.startswith(("scripts/", ".ci/", "cmake/", "tests/lab/"))
            or name.endswith((".sh", ".cmake", "CMakeLists.txt")))


def main():
    checks = {"layers": check_layers, "headers": check_headers, "files": check_files}
    wanted = sys.argv[1:] or list(checks)
    if any(w not in checks for w in wanted):
        sys.exit(__doc__)
    faults = [fault for w in wanted for fault in checks[w]()]
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
