#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every row of docs/hostile-hosts.md names a test, and the words it has there; a row without one is an error."""
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def tests_by_name():
    found = {}
    for folder, _, names in os.walk(f"{TOP}/tests"):
        for name in names:
            found.setdefault(name, []).append(os.path.join(folder, name))
    return found


def main():
    tests, texts, rows, wrong = tests_by_name(), {}, 0, 0
    with open(f"{TOP}/docs/hostile-hosts.md", encoding="utf-8") as page:
        for number, line in enumerate(page, 1):
            if not line.startswith("| ") or line.startswith(("| behaviour", "| fault")):
                continue
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
            places = re.findall(r"`([\w.]+)`: `([^`]+)`", cells[2]) if len(cells) == 3 else []
            rows += 1
            if not places:
                print(f"docs/hostile-hosts.md:{number}: names no test")
                wrong += 1
            for name, words in places:
                for path in tests.get(name, []):
                    if path not in texts:
                        with open(path, encoding="utf-8") as test:
                            texts[path] = test.read()
                if not any(words in texts[path] for path in tests.get(name, [])):
                    print(f"docs/hostile-hosts.md:{number}: {name} has no `{words}`")
                    wrong += 1
    print(f"{rows} rows")
    sys.exit(1 if wrong or rows < 60 else 0)


if __name__ == "__main__":
    main()
