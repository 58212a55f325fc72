#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Copies the headers of an rpm database in ndb's format into an empty one in sqlite's, which rpm made: there is no
ndb in Debian's rpm, and so it can be asked all the same. Knows nothing of muster's reader; the format is that of
lib/backend/ndb/rpmpkg.c of rpm. Whatever does not fit it ends in an error.

    ndb_to_sqlite.py Packages.db rpmdb.sqlite
"""
import sqlite3
import struct
import sys
import zlib

PAGE, BLOCK, SLOT = 4096, 16, 16
BLOB_HEAD, BLOB_TAIL = 16, 12


def slots(data):
    """(package number, blob's first block, blocks) of every slot in use."""
    magic, version, _, pages = struct.unpack_from("<4sIII", data)
    if magic != b"RpmP" or version != 0:
        raise ValueError("no ndb database")
    for at in range(2 * SLOT, pages * PAGE, SLOT):
        magic, number, block, count = struct.unpack_from("<4sIII", data, at)
        if magic != b"Slot":
            raise ValueError(f"no slot at {at}")
        if block:
            yield number, block, count


def blob(data, number, block, count):
    """The header at a slot: its frame must fit, checksum included."""
    area = data[block * BLOCK:(block + count) * BLOCK]
    magic, owner, _, length = struct.unpack_from("<4sIII", area)
    checksum, again, end = struct.unpack_from("<II4s", area, len(area) - BLOB_TAIL)
    if (magic, owner, end) != (b"BlbS", number, b"BlbE") or length != again:
        raise ValueError(f"package {number}: no blob")
    if zlib.adler32(area[:-BLOB_TAIL]) != checksum:
        raise ValueError(f"package {number}: wrong checksum")
    return area[BLOB_HEAD:BLOB_HEAD + length]


def main(source, target):
    with open(source, "rb") as file:
        data = file.read()
    database = sqlite3.connect(target)
    for number, block, count in slots(data):
        database.execute("INSERT INTO Packages VALUES (?, ?)", (number, blob(data, number, block, count)))
    database.commit()
    database.close()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
