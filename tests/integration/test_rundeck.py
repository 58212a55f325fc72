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
import subprocess
import sys
import tempfile
import zipfile

try:
    import yaml
except ImportError:
    print("skipped: no python3-yaml")
    sys.exit(77)

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
KEY_VALUE = re.compile(r"^RUNDECK:DATA:\s*([^\s]+?)\s*=\s*(.+)$")


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
        check(node["nodename"] == name and {"hostname", "username"} <= set(node), f"{name}: {node}")
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
        options = {option["name"]: option for option in job.get("options", [])}
        for option in options.values():
            only(option, OPTION_KEYS, f"{job['name']}: {option['name']}")
            # What stands in a command line must not be whatever somebody types.
            check(option["enforced"] and option["value"] in option["values"], f"{job['name']}: {option['name']}")
        for command in job["sequence"]["commands"]:
            only(command, COMMAND_KEYS, job["name"])
            check(set(re.findall(r"\$\{option\.(\w+)\}", command.get("exec", ""))) <= set(options), job["name"])
            if "type" in command:
                known = {entry["name"] for entry in providers[command["type"]]["config"]}
                only(command["configuration"], known, f"{job['name']}: configuration")
            for log_filter in command["plugins"]["LogFilter"]:
                check(log_filter["type"] in ("key-value-data", "render-datatype"), job["name"])
                regex = log_filter.get("config", {}).get("regex")
                check(regex in (None, KEY_VALUE.pattern), f"{job['name']}: {regex}")
    print("- three jobs are of job-yaml")


def log(build, work):
    """A run as Rundeck's filters would see it."""
    done = subprocess.run([f"{build}/bin/muster", "check", "localhost", "nowhere.invalid", "--become", "none", "--timeout",
                           "2s", "--db", f"{work}/x.db", "--format", "rundeck"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False,
                          env={"PATH": os.environ["PATH"], "HOME": work})
    check(done.returncode in (1, 3) and done.stderr == "", f"exit {done.returncode}: {done.stderr}")
    data, shown, kind, block = {}, [], None, []
    for line in done.stdout.splitlines():
        match = KEY_VALUE.match(line)
        if line.startswith("#BEGIN:RUNDECK:DATATYPE:"):
            kind, block = line.split(":", 3)[3], []
        elif line.startswith("#END:RUNDECK:DATATYPE"):
            shown.append((kind, "\n".join(block)))
            kind = None
        elif kind:
            block.append(line)
        elif match:
            data[match.group(1)] = match.group(2)
        else:
            check(line.startswith(("muster| ", "muster: ")), f"a line of nobody: {line}")
    check(kind is None and shown and shown[0][0] == "text/x-markdown", f"rendered: {shown}")
    check(all(re.fullmatch(r"muster_[a-z_]+", key) for key in data), f"keys {sorted(data)}")
    check(data["muster_hosts"] == "2" and data["muster_hosts_unreachable"] == "1", str(data))
    for kind, text in shown[1:]:
        check(kind == "application/json", kind)
        rows = json.loads(text)
        check(all(row.keys() == rows[0].keys() for row in rows), "rows differ in their keys")
    print(f"- a run's log has {len(data)} values and {len(shown)} rendered parts, nothing on standard error")


def main(build):
    with tempfile.TemporaryDirectory(prefix="muster-test.") as work:
        contents, providers = plugin(build, work)
        scripts(contents, build, work)
        jobs(providers)
        log(build, work)


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
