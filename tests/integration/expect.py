#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads what `muster check --format ndjson` printed and holds it to expectations.

    expect.py FILE finding SUBJECT RULE,... SEVERITY   a new finding with one of these rules, at least this severe
    expect.py FILE finding-any SUBJECT RULE            an open finding of this rule, new or not
    expect.py FILE id SUBJECT RULE                     prints the fingerprint of that open finding
    expect.py FILE fewer PREFIX MOST                   at most so many open findings of rules that begin so; prints them
    expect.py FILE none RULE                           no open finding of this rule
    expect.py FILE quiet SEVERITY                      no open finding of this severity or above
    expect.py FILE detail SUBJECT RULE TEXT            a finding of this rule says so in its detail
    expect.py FILE missing [PATH...]                   exactly these are called missing
    expect.py FILE silent SUBJECT                      nothing open is said of it
    expect.py FILE packages LEAST                      the one host has at least so many packages
    expect.py FILE no-new                              no finding is new
    expect.py FILE state STATE                         the one host ended in this state
    expect.py FILE fid SUBJECT RULE                    prints the fingerprint of that finding
    expect.py FILE acked SUBJECT ACK REASON            it is set aside by this ack, and was seen before this run
    expect.py FILE gap CHECK SUBJECT REASON            the one host's coverage names this check as partial for this reason
    expect.py FILE findings                            prints host, rule, subject and state of each, blanks are tabs
    expect.py FILE counts                              prints packages and files proved, unproved, skipped
    expect.py FILE bytes MOST                          received and sent (probe apart) are each at most this
"""
import json
import sys

SEVERITIES = ["info", "low", "medium", "high", "critical"]


def rank(name):
    return SEVERITIES.index(name)


def load(path):
    with open(path, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    if not rows or rows[-1]["type"] != "run_end":
        sys.exit("the file is truncated: no run_end")
    return rows


def describe(finding):
    return (f'{finding["sev"]:8} {finding["state"]:12} {finding["rule"]:20} {finding.get("attrs") or "":10}'
            f'{finding["path"]}')


def fail(why, findings):
    print(f"FAILED: {why}; findings were:", file=sys.stderr)
    for finding in findings:
        print("  " + describe(finding), file=sys.stderr)
    sys.exit(1)


def main(path, what, *args):
    rows = load(path)
    findings = [row for row in rows if row["type"] == "finding"]
    hosts = [row for row in rows if row["type"] == "host"]
    if what == "finding":
        subject, rules, severity = args
        for finding in findings:
            if (finding["path"] == subject and finding["rule"] in rules.split(",") and finding["state"] == "new"
                    and rank(finding["sev"]) >= rank(severity)):
                print(describe(finding))
                return
        fail(f"no new {rules} for {subject} of at least {severity}", findings)
    elif what == "finding-any":
        if not any(f["path"] == args[0] and f["rule"] == args[1] and f["state"] in ("new", "open") for f in findings):
            fail(f"no {args[1]} for {args[0]}", findings)
    elif what == "id":
        found = [f["fid"] for f in findings if f["path"] == args[0] and f["rule"] == args[1] and f["state"] in ("new", "open")]
        if len(found) != 1:
            fail(f"{len(found)} {args[1]} for {args[0]}", findings)
        print(found[0])
    elif what in ("fewer", "none"):
        most = int(args[1]) if what == "fewer" else 0
        told = [f for f in findings if f["rule"].startswith(args[0]) and f["state"] in ("new", "open")]
        if len(told) > most:
            fail(f"{len(told)} findings of {args[0]}, at most {most} expected", told)
        for finding in told:
            print("  " + describe(finding))
    elif what == "findings":
        for finding in findings:
            print("\t".join(finding[key] for key in ("host", "rule", "path", "state")))
    elif what == "quiet":
        loud = [f for f in findings if f["state"] in ("new", "open") and rank(f["sev"]) >= rank(args[0])]
        if loud:
            fail(f"open findings of {args[0]} or above", loud)
    elif what == "detail":
        subject, rule, text = args
        found = [f for f in findings if f["path"] == subject and f["rule"] == rule]
        if not any(text in (f.get("detail") or "") for f in found):
            fail(f'no {rule} of {subject} says "{text}" but {[f.get("detail") for f in found]}', found)
        print(found[0]["detail"])
    elif what == "missing":
        missing = sorted(f["path"] for f in findings if f["rule"] == "file.missing" and f["state"] in ("new", "open"))
        if missing != sorted(args):
            fail(f"called missing: {missing}, expected {sorted(args)}", [])
    elif what == "silent":
        told = [f for f in findings if f["path"] == args[0] and f["state"] in ("new", "open")]
        if told:
            fail(f"{args[0]} is still told", told)
    elif what == "packages":
        if [h["packages"] >= int(args[0]) for h in hosts] != [True]:
            fail(f'packages: {[h["packages"] for h in hosts]}, expected {args[0]} or more', [])
    elif what == "no-new":
        new = [f for f in findings if f["state"] == "new"]
        if new:
            fail("new findings", new)
    elif what == "state":
        if [h["state"] for h in hosts] != [args[0]]:
            fail(f'states {[(h["state"], h["reason"]) for h in hosts]}, expected {args[0]}', findings)
    elif what == "fid":
        subject, rule = args
        for finding in findings:
            if finding["path"] == subject and finding["rule"] == rule:
                print(finding["fid"])
                return
        fail(f"no {rule} for {subject}", findings)
    elif what == "acked":
        subject, ack, reason = args
        for finding in findings:
            if (finding["path"] == subject and finding["state"] == "acknowledged" and finding["ack"] == ack
                    and finding["ack_reason"] == reason and finding["ack_until"]
                    and finding["first_seen"] < rows[0]["started"]):
                print(f"  {subject}: {ack} {reason} until {finding['ack_until']}, seen since {finding['first_seen']}")
                return
        fail(f"{subject} is not set aside by {ack}", findings)
    elif what == "gap":
        gaps = [(c["check"], c["subject"], c["reason"]) for h in hosts for c in h["coverage"] if c["state"] == "partial"]
        if tuple(args) not in gaps:
            fail(f"{args} is not told; gaps are {gaps}", [])
        print("  " + " ".join(arg for arg in args if arg))
    elif what == "counts":
        for host in hosts:
            files = host["files"] or {}
            print(f'{host["host"]}: {host["packages"]} packages; files proved {files.get("proved")}, '
                  f'unproved {files.get("unproved")}, skipped {files.get("skipped")}')
    elif what == "bytes":
        for host in hosts:
            sent = host["bytes"]["sent"] - host["bytes"]["probe"]
            received = host["bytes"]["received"]
            print(f'{host["host"]}: sent {sent} beside the probe, received {received}')
            if max(sent, received) > int(args[0]):
                fail(f"more than {args[0]} bytes on the wire", [])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
