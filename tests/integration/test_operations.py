#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is installed for those who run muster: units and alert rules, by the tools that will read them.

    test_operations.py BUILD_DIR

systemd-analyze and promtool are asked where they are installed; what was not asked is printed. The rules are also read here:
every metric that they name must be one that muster writes.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more)
    return done.returncode, done.stdout


def fail(text):
    sys.exit(f"FAILED: {text}")


def installed(build, work):
    code, said = run("cmake", "--install", build, "--prefix", f"{work}/usr")
    if code:
        fail(f"cmake --install: {said[-2000:]}")
    for name in ("bin/muster", "libexec/muster/muster-ssh", "libexec/muster/muster-run-ssh",
                 "lib/systemd/system/muster-sweep.service",
                 "lib/systemd/system/muster-sweep.timer", "lib/sysusers.d/muster.conf",
                 "share/muster/prometheus/muster.rules.yml", "share/muster/rundeck/jobs.yaml",
                 "share/man/man1/muster.1"):
        if not os.path.exists(f"{work}/usr/{name}"):
            fail(f"{name} is not installed")
    print("- cmake --install places units, rules and manual pages")


def units(work):
    folder = f"{work}/units"
    os.mkdir(folder)
    with open(f"{work}/usr/lib/systemd/system/muster-sweep.service", encoding="utf-8") as unit:
        text = unit.read()
    if "\nSuccessExitStatus=1 3\n" not in text or "\nUser=muster\n" not in text:
        fail("the service has no SuccessExitStatus=1 3 or no user of its own")
    # verify wants the program where the unit says it is
    text = re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={work}/usr/bin/muster", text)
    with open(f"{folder}/muster-sweep.service", "w", encoding="utf-8") as unit:
        unit.write(text)
    shutil.copy(f"{work}/usr/lib/systemd/system/muster-sweep.timer", folder)
    if not shutil.which("systemd-analyze"):
        print("- not asked: systemd-analyze is not installed")
        return
    code, said = run("systemd-analyze", "verify", "--man=no", f"{folder}/muster-sweep.service",
                     f"{folder}/muster-sweep.timer")
    ours = [line for line in said.splitlines() if "muster" in line]
    if ours:
        fail("systemd-analyze verify: " + "\n".join(ours))
    print("- systemd-analyze verify finds nothing in service and timer")
    code, said = run("systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager",
                     f"{folder}/muster-sweep.service")
    if "exposure level" not in said:
        print("- not asked: this systemd-analyze has no --offline")
    elif code:
        fail("systemd-analyze security: " + said.splitlines()[-1])
    else:
        print("- systemd-analyze security:", said.strip().splitlines()[-1].split("exposure level", 1)[1].strip(" :"))


def metrics_of(build, work):
    """A run of this machine, as the user who runs the tests; what it finds does not matter."""
    path = f"{work}/muster.prom"
    code, said = run(f"{build}/bin/muster", "check", "localhost", "--become", "none", "--timeout", "2s", "--db",
                     f"{work}/x.db", "-o", f"prom:{path}", env={"PATH": os.environ["PATH"], "HOME": work})
    if code not in (0, 1, 3) or not os.path.exists(path):
        fail(f"muster check ended with {code}: {said[-2000:]}")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    families = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:]
            families[name] = kind
            continue
        if line.startswith("# HELP "):
            continue
        match = re.fullmatch(r'([a-z_]+)\{([a-z]+="[^"\\]*"(?:,[a-z]+="[^"\\]*")*)\} (\d+)', line)
        if not match or match.group(1) not in families:
            fail(f"no metric of a family: {line}")
    print(f"- {len(families)} metric families are well-formed")
    return path, families


def rules(work, path, families):
    rule_file = f"{TOP}/docs/prometheus/muster.rules.yml"
    with open(rule_file, encoding="utf-8") as file:
        text = file.read()
    named = set(re.findall(r"\bmuster_[a-z_]+", text))
    unknown = named - set(families)
    if not named or unknown:
        fail(f"the alert rules name what muster does not write: {sorted(unknown)}")
    print(f"- the alert rules name {len(named)} metrics that exist")
    promtool = os.environ.get("PROMTOOL") or shutil.which("promtool")
    if not promtool:
        print("- not asked: promtool is not installed")
        return
    code, said = run(promtool, "check", "rules", rule_file)
    if code:
        fail(f"promtool check rules: {said}")
    with open(path, encoding="utf-8") as file:
        code, said = run(promtool, "check", "metrics", stdin=file)
    if code or said.strip():
        fail(f"promtool check metrics: {said}")
    print("- promtool finds nothing in rules and metrics")


def main(build):
    with tempfile.TemporaryDirectory(prefix="muster-test.") as work:
        installed(build, work)
        units(work)
        rules(work, *metrics_of(build, work))


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
