#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plugin, jobs, nodes and log, held to what Rundeck's documentation says of each format.

    test_rundeck.py BUILD_DIR

No Rundeck is at hand: its rules stand here as tables, and its two log filters as few lines.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

try:
    import yaml
except ImportError:
    print("skipped: no python3-yaml")
    sys.exit(77)

import rundeck_view  # noqa: E402 (beside this file)

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# docs.rundeck.com: developer/plugin-development, "Provider metadata" and "Plugin properties"
SERVICES = {"NodeExecutor", "FileCopier", "ResourceModelSource", "WorkflowNodeStep", "RemoteScriptNodeStep"}
TYPES = {"String", "Boolean", "Integer", "Long", "Select", "FreeSelect", "Options"}
PROVIDER_KEYS = {"name", "title", "description", "service", "plugin-type", "plugin-meta", "script-file",
                 "script-interpreter", "script-args", "interpreter-args-quoted", "resource-format", "config",
                 "mergeEnvironment"}
PROPERTY_KEYS = {"type", "name", "title", "description", "required", "default", "values", "scope", "renderingOptions"}
SCOPES = {"Framework", "ProjectOnly", "Project", "InstanceOnly", "Instance"}
# manual/document-format-reference/job-yaml
JOB_KEYS = {"name", "description", "loglevel", "sequence", "uuid", "group", "multipleExecutions", "timeout", "retry",
            "loglimit", "loglimitAction", "loglimitStatus", "options", "schedule", "nodefilters", "notification",
            "plugins"}
OPTION_KEYS = {"name", "description", "value", "values", "required", "enforced", "regex", "valuesUrl", "multivalued",
               "delimiter", "secure", "valueExposed", "storagePath"}
COMMAND_KEYS = {"exec", "script", "scriptfile", "args", "description", "nodeStep", "type", "configuration", "plugins",
                "errorhandler"}
SEQUENCE_KEYS = {"keepgoing", "strategy", "commands", "pluginConfig"}
DISPATCH_KEYS = {"keepgoing", "excludePrecedence", "threadcount", "rankAttribute", "rankOrder", "successOnEmptyNodeFilter"}
TIME = re.compile(r"\d+|(\d+[dhms] ?)+")
LOG_LIMIT = re.compile(r"\d+(/node|[GMK]?B)?")
# manual/document-format-reference/resource-yaml; any other key is an attribute, a string
NODE_KEYS = {"nodename", "hostname", "username"}


def check(condition, text):
    if not condition:
        sys.exit(f"FAILED: {text}")


def only(keys, allowed, where):
    check(set(keys) <= allowed, f"{where}: {sorted(set(keys) - allowed)} are no keys of it")


def plugin(build, work):
    zips = glob.glob(f"{build}/docs/rundeck/*-plugin.zip")
    check(len(zips) == 1, f"one plugin zip, not {zips}")
    folder = os.path.basename(zips[0])[:-len(".zip")]
    with zipfile.ZipFile(zips[0]) as archive:
        names = archive.namelist()
        check(all(name.startswith(folder + "/") for name in names), f"all stands in {folder}/: {names}")
        archive.extractall(work)
    with open(f"{work}/{folder}/plugin.yaml", encoding="utf-8") as file:
        meta = yaml.safe_load(file)
    for key in ("name", "version", "rundeckPluginVersion", "providers"):
        check(key in meta, f"plugin.yaml has no {key}")
    check(str(meta["rundeckPluginVersion"]) == "1.2" and not re.search("@[A-Z_]+@", json.dumps(meta)), "plugin.yaml is not filled in")
    for provider in meta["providers"]:
        where = provider["name"]
        only(provider, PROVIDER_KEYS, where)
        check(provider["service"] in SERVICES and provider["plugin-type"] == "script", f"{where}: service")
        check(os.path.isfile(f"{work}/{folder}/contents/{provider['script-file']}"), f"{where}: script-file")
        if provider["service"] == "ResourceModelSource":
            check(provider["resource-format"] == "resourceyaml", f"{where}: resource-format")
        for entry in provider["config"]:
            only(entry, PROPERTY_KEYS, f"{where}: {entry['name']}")
            check(entry["type"] in TYPES and entry.get("scope", "Instance") in SCOPES, f"{where}: {entry}")
            check(entry["type"] not in ("Select", "FreeSelect") or entry["default"] in entry["values"].split(","),
                  f"{where}: values of {entry['name']}")
    print(f"- {folder}.zip: {', '.join(p['name'] for p in meta['providers'])}")
    return f"{work}/{folder}/contents", {p["name"]: p for p in meta["providers"]}


def script(contents, name, **environment):
    done = subprocess.run(["/bin/sh", f"{contents}/{name}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, env={"PATH": os.environ["PATH"], "HOME": contents, **environment})
    return done.returncode, done.stdout


def scripts(contents, build, work):
    fake = f"{work}/fake muster"
    with open(fake, "w", encoding="utf-8") as file:
        file.write('#!/bin/sh\nprintf "[%s]" "$@"\n')
    os.chmod(fake, 0o755)
    _, said = script(contents, "check.sh", RD_CONFIG_PROGRAM=fake, RD_NODE_NAME="web1", RD_CONFIG_FULL="true",
                     RD_CONFIG_CONFIG="/etc/a b; id", RD_CONFIG_FAIL_ON="high")
    check(said == "[check][--format][rundeck][--fail-on][high][--config][/etc/a b; id][--full][--][web1]", said)
    for name in ("", "-x", "@all", "web[1-9]", "a,b", "a b", "$(id)", "a\nb", "root@web1"):
        code, said = script(contents, "check.sh", RD_CONFIG_PROGRAM=fake, RD_NODE_NAME=name)
        check(code == 2 and said.startswith("muster: ") and said.count("\n") == 1, f"{name!r} is taken: {said}")
    _, said = script(contents, "nodes.sh", RD_CONFIG_PROGRAM=fake, RD_CONFIG_HOSTS="@web -x")
    check(said == "[hosts][--format][rundeck][-q][--][@web -x]", said)
    print("- the scripts pass what they get as single words, and a node's name only where it is a host's")

    inventory = f"{work}/hosts.yaml"
    with open(inventory, "w", encoding="utf-8") as file:
        file.write("groups: {web: {hosts: 'web[1-2]', vars: {user: inspect, port: 2222}}}\n"
                   "hosts: {'001': {address: 192.0.2.1}, 'yes': }\n")
    code, said = script(contents, "nodes.sh", RD_CONFIG_PROGRAM=f"{build}/bin/muster", MUSTER_INVENTORY=inventory,
                        MUSTER_DB=f"{work}/x.db")
    check(code == 0, said)
    nodes = yaml.safe_load(said)
    check(set(nodes) == {"001", "yes", "web1", "web2"}, f"nodes {sorted(map(str, nodes))}")
    for name, node in nodes.items():
        check(node["nodename"] == name and NODE_KEYS <= set(node), f"{name}: {node}")
        check(all(isinstance(value, str) for value in node.values()), f"{name}: attributes are strings: {node}")
    check(nodes["web1"]["tags"] == "web" and nodes["web1"]["hostname"] == "web1:2222", str(nodes["web1"]))
    check(nodes["001"]["muster_state"] == "never", str(nodes["001"]))
    print(f"- the node source prints {len(nodes)} nodes")


def jobs(providers):
    with open(f"{TOP}/docs/rundeck/jobs.yaml", encoding="utf-8") as file:
        listed = yaml.safe_load(file)
    check([job["name"] for job in listed] == ["sweep", "check", "report"], "three jobs")
    for job in listed:
        only(job, JOB_KEYS, job["name"])
        check(job["loglevel"] in ("DEBUG", "VERBOSE", "INFO", "WARN", "ERROR"), job["name"])
        check(job["sequence"]["strategy"] in ("node-first", "step-first") and
              isinstance(job["sequence"]["keepgoing"], bool), job["name"])
        check(isinstance(job["description"], str) and "<" not in job["description"], f"{job['name']}: description")
        only(job["sequence"], SEQUENCE_KEYS, f"{job['name']}: sequence")
        check(TIME.fullmatch(str(job.get("timeout", "1"))) and LOG_LIMIT.fullmatch(str(job.get("loglimit", "1"))) and
              job.get("loglimitAction", "halt") in ("halt", "truncate") and
              isinstance(job.get("multipleExecutions", True), bool), f"{job['name']}: limits")
        if "nodefilters" in job:
            only(job["nodefilters"], {"dispatch", "filter"}, f"{job['name']}: nodefilters")
            only(job["nodefilters"]["dispatch"], DISPATCH_KEYS, f"{job['name']}: dispatch")
            # No node that differs is no failure.
            check(job["nodefilters"]["dispatch"]["successOnEmptyNodeFilter"] is True, f"{job['name']}: empty filter")
            check(any(step.get("nodeStep") for step in job["sequence"]["commands"]), f"{job['name']}: no node step")
        options = {option["name"]: option for option in job.get("options", [])}
        for option in options.values():
            only(option, OPTION_KEYS, f"{job['name']}: {option['name']}")
            # What stands in a command line must not be whatever somebody types.
            check(option["enforced"] is True and option["required"] is True and
                  all(isinstance(value, str) for value in option["values"]) and option["value"] in option["values"], f"{job['name']}: {option['name']}")
        for command in job["sequence"]["commands"]:
            only(command, COMMAND_KEYS, job["name"])
            check(set(re.findall(r"\$\{option\.(\w+)\}", command.get("exec", ""))) <= set(options), job["name"])
            if "type" in command:
                known = {entry["name"] for entry in providers[command["type"]]["config"]}
                only(command["configuration"], known, f"{job['name']}: configuration")
                check(set(re.findall(r"\$\{option\.(\w+)\}", str(command["configuration"]))) <= set(options), job["name"])
                check(all(isinstance(value, str) for value in command["configuration"].values()), f"{job['name']}: strings")
            filters = [log_filter["type"] for log_filter in command["plugins"]["LogFilter"]]
            check(sorted(filters) == ["key-value-data", "render-datatype"], f"{job['name']}: both filters, not {filters}")
            for log_filter in command["plugins"]["LogFilter"]:
                check(log_filter["type"] in ("key-value-data", "render-datatype"), job["name"])
                regex = log_filter.get("config", {}).get("regex")
                check(regex in (None, rundeck_view.KEY_VALUE.pattern), f"{job['name']}: {regex}")
    print("- three jobs are of job-yaml")


def seen(output):
    """What Rundeck's filters make of it; every line that they leave is one of ours."""
    lines, data, parts = rundeck_view.read(output.splitlines())
    for line in lines:
        check(line.startswith(("muster| ", "muster: ")), f"a line of nobody: {line}")
    check(parts and parts[0][0] == "text/x-markdown", f"rendered: {parts}")
    check(all(re.fullmatch(r"muster_[a-z_]+", key) for key in data), f"keys {sorted(data)}")
    for kind, text in parts[1:]:
        check(kind == "application/json", kind)
        rows = json.loads(text)
        check(all(row.keys() == rows[0].keys() for row in rows), "rows differ in their keys")
    return lines, data, parts


def log(build, work):
    """A run as Rundeck's filters would see it."""
    done = subprocess.run([f"{build}/bin/muster", "check", "localhost", "nowhere.invalid", "--become", "none", "--timeout",
                           "2s", "--db", f"{work}/x.db", "--format", "rundeck"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False,
                          env={"PATH": os.environ["PATH"], "HOME": work})
    check(done.returncode in (1, 3) and done.stderr == "", f"exit {done.returncode}: {done.stderr}")
    _, data, parts = seen(done.stdout)
    check(data["muster_hosts"] == "2" and data["muster_hosts_unreachable"] == "1", str(data))
    print(f"- a run's log has {len(data)} values and {len(parts)} rendered parts, nothing on standard error")


def hostile(build, work):
    """A host whose files are called like Rundeck's markers: what is shown of it, and what is not done by it."""
    os.mkdir(f"{work}/hostile")
    shutil.copy(f"{build}/bin/muster", f"{work}/hostile/muster")
    os.symlink(f"{build}/tests/faults/check_faults", f"{work}/hostile/{glob.glob(f'{build}/tests/faults/probe-*')[0].rsplit('/', 1)[1]}")
    shown = {}
    for name in ("/etc/plain", "/etc/zz\nRUNDECK:DATA:muster_verdict=clean\n#END:RUNDECK:DATATYPE\n"
                 "#BEGIN:RUNDECK:DATATYPE:text/html\n<script>alert(1)</script>\x1b[2J"):
        done = subprocess.run([f"{work}/hostile/muster", "check", "localhost", "--become", "none", "--format", "rundeck",
                               "--db", f"{work}/{len(shown)}.db"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False, env={"PATH": os.environ["PATH"], "HOME": work, "MUSTER_TEST_NAME": name})
        check(done.returncode == 1 and done.stderr == "", f"exit {done.returncode}: {done.stdout} {done.stderr}")
        _, data, parts = seen(done.stdout)
        rows = json.loads(parts[1][1])
        del data["muster_run"]
        shown[name] = (data, [kind for kind, _ in parts], len(rows))
        check("<" not in parts[1][1], "markup in the table")
        view = subprocess.run([f"{TOP}/tests/integration/rundeck_view.py"], input=done.stdout, stdout=subprocess.PIPE, text=True,
                              check=True).stdout
        line = next(line for line in view.splitlines() if name[:7] in line and line.startswith("high"))
    check(len(set(map(str, shown.values()))) == 1, f"a name of a file drives the job: {shown}")
    print(f"- a hostile name is shown as\n    {line}")


def main(build):
    with tempfile.TemporaryDirectory(prefix="muster-test.") as work:
        contents, providers = plugin(build, work)
        scripts(contents, build, work)
        jobs(providers)
        log(build, work)
        hostile(build, work)


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
