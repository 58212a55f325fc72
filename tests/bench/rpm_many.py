#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Many rpm packages out of a few real ones.

rpm_many.py OUT COUNT SECTIONS...

SECTIONS are outputs of rpm_sections. Repeats their headers with changed names until there are COUNT, and writes
  OUT/root/var/lib/rpm/rpmdb.sqlite    a database that rpm reads, too
  OUT/message/N                        the signed region of each, to be signed anew
"""
import os
import sqlite3
import struct
import sys

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}


def item(data, at):
    """One CBOR item of those that sections have: byte strings and arrays."""
    major, value = data[at] >> 5, data[at] & 31
    at += 1
    if value >= 24:
        size = 1 << (value - 24)
        value = int.from_bytes(data[at:at + size], "big")
        at += size
    if major == 2:
        return data[at:at + value], at + value
    items = []
    for _ in range(value):
        one, at = item(data, at)
        items.append(one)
    return items, at


def records(content):
    at = 0
    while at < len(content):
        record, at = item(content, at)
        yield record


def headers(path):
    """(region as signed, entries behind it) of each package."""
    with open(path, "rb") as file:
        data = file.read()
    at, pieces = 0, []
    while at < len(data):
        size = int.from_bytes(data[at:at + 4], "big")
        pieces.append(data[at + 4:at + 4 + size])
        at += 4 + size
    found = {}
    for key, content in zip(pieces[::2], pieces[1::2]):
        kind, *package = item(key, 0)[0]
        region, behind = found.setdefault(tuple(package), (bytearray(), {}))
        for part, tag, rpm_type, chunk, value in records(content):
            if part == b"region":
                region += value
            elif part == b"rest":  # digests of the region would be wrong now
                behind.setdefault((int.from_bytes(tag, "big"), rpm_type[0]), bytearray()).extend(value)
    return [(bytes(region), behind) for region, behind in found.values() if region]


def rename(region, number):
    """The NAME of the region becomes one of the same length that no other has."""
    entries, _ = struct.unpack(">II", region[8:16])
    data = 16 + 16 * entries
    for at in range(16, data, 16):
        tag, _, offset, _ = struct.unpack(">IIII", region[at:at + 16])
        if tag == 1000:
            start = data + offset
            length = region.index(b"\0", start) - start
            name = (b"%x" % number).rjust(length, b"n")
            if len(name) != length:
                return None
            return region[:start] + name + region[start + length:]
    return None


def blob(region, behind):
    """The header as a database holds it."""
    entries, data_len = struct.unpack(">II", region[8:16])
    index, data = region[16:16 + 16 * entries], bytearray(region[16 + 16 * entries:])
    for (tag, rpm_type), value in sorted(behind.items()):
        size = SIZES.get(rpm_type, 1)
        while len(data) % size:
            data.append(0)
        count = value.count(0) if rpm_type in (6, 8, 9) else len(value) // size
        index += struct.pack(">IIII", tag, rpm_type, len(data), count)
        data += value
    return struct.pack(">II", len(index) // 16, len(data)) + index + bytes(data)


def main():
    out, count = sys.argv[1], int(sys.argv[2])
    real = [header for path in sys.argv[3:] for header in headers(path)]
    directory = os.path.join(out, "root/var/lib/rpm")
    os.makedirs(directory)
    os.makedirs(os.path.join(out, "message"))
    database = sqlite3.connect(os.path.join(directory, "rpmdb.sqlite"))
    database.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
    made = turn = 0
    while made < count:
        region, behind = real[turn % len(real)]
        turn += 1
        region = rename(region, made)
        if region:
            database.execute("INSERT INTO Packages (blob) VALUES (?)", (blob(region, behind),))
            with open(os.path.join(out, "message/%d" % made), "wb") as file:
                file.write(region)
            made += 1
    database.commit()
    database.close()


main()
