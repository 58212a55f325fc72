#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A job's output (standard input) as Rundeck's log viewer would show it, as plain text.

    muster check HOST --format rundeck | tests/integration/rundeck_view.py

Its two filters as its documentation has them (manual/log-filters): key-value-data takes `RUNDECK:DATA:KEY=VALUE` at the start
of a line, render-formatted-data what stands between `#BEGIN:RUNDECK:DATATYPE:TYPE` and `#END:RUNDECK:DATATYPE`, which is no
line of the log any more. A JSON list of like objects becomes a table (manual/content-converters). HTML would be shown here as
it stands, after a warning: there must be none.
"""
import json
import re
import sys

KEY_VALUE = re.compile(r"^RUNDECK:DATA:\s*([^\s]+?)\s*=\s*(.+)$")
BEGIN, END = "#BEGIN:RUNDECK:DATATYPE:", "#END:RUNDECK:DATATYPE"


def read(lines):
    """Lines of the log, values by key, and rendered parts as (type, text)."""
    log, data, parts, kind, block = [], {}, [], None, []
    for line in lines:
        line = line.rstrip("\n")
        if kind is None and line.startswith(BEGIN):
            kind, block = line[len(BEGIN):], []
        elif kind is not None and line.startswith(END):
            parts.append((kind, "\n".join(block)))
            kind = None
        elif kind is not None:
            block.append(line)
        else:
            match = KEY_VALUE.match(line)
            if match:
                data[match.group(1)] = match.group(2)
            else:
                log.append(line)
    if kind is not None:  # the end of the step ends it
        parts.append((kind, "\n".join(block)))
    return log, data, parts


def plain(text):
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in str(text))


def table(rows):
    keys = list(rows[0])
    cells = [keys] + [[plain(row.get(key, "")) for key in keys] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(keys))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells]
    return [lines[0], "  ".join("-" * width for width in widths)] + lines[1:]


def show(kind, text):
    if kind in ("application/json", "json"):
        value = json.loads(text)
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            return table(value)
        return json.dumps(value, indent=2).splitlines()
    if kind in ("text/html", "html"):
        return ["!! HTML:"] + [plain(line) for line in text.splitlines()]
    return [plain(line) for line in text.splitlines()]


def main():
    log, data, parts = read(sys.stdin)
    print("== log")
    print("\n".join(plain(line) for line in log))
    for kind, text in parts:
        print(f"== {kind}")
        print("\n".join(show(kind, text)))
    print("== data")
    for key, value in data.items():
        print(f"${{data.{plain(key)}}} = {plain(value)}")


if __name__ == "__main__":
    main()
