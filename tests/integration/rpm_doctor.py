#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Changes the headers of an rpm database (sqlite), as an intruder with root would. Packages are named by NAME.

    rpm_doctor.py DB override NAME ROOT PATH   size, mtime and digest of ROOT/PATH behind the signed region
    rpm_doctor.py DB rewrite NAME ROOT PATH    the same within the region, and rpm's own digests of it made anew
    rpm_doctor.py DB states NAME NUMBER        every file state becomes NUMBER
    rpm_doctor.py DB flip NAME                 one bit of the region's file modes
    rpm_doctor.py DB unsign NAME               the signatures go
    rpm_doctor.py DB forget NAME               the package's row goes, its files stay
    rpm_doctor.py DB blobs DIR                 each header into a file, in the database's order; prints the files
"""
import hashlib
import os
import sqlite3
import struct
import sys

NAME, SIZES, STATES, MODES, MTIMES, DIGESTS = 1000, 1028, 1029, 1030, 1034, 1035
DIRINDEXES, BASENAMES, DIRNAMES = 1116, 1117, 1118
REGION, SHA1, SHA256 = 63, 269, 273
SIGNATURES = (259, 262, 267, 268, 278)
INT32, CHAR, STRINGS = 4, 1, 8


class Header:
    """A header blob: entries (tag, type, offset, count), those of the region first, and their data."""

    def __init__(self, blob):
        count, self.data_len = struct.unpack(">II", blob[:8])
        self.entries = [list(struct.unpack(">IIiI", blob[8 + 16 * i:24 + 16 * i])) for i in range(count)]
        self.data = bytearray(blob[8 + 16 * count:])

    def pack(self):
        head = struct.pack(">II", len(self.entries), len(self.data))
        return head + b"".join(struct.pack(">IIiI", *entry) for entry in self.entries) + bytes(self.data)

    def find(self, tag):
        return next((entry for entry in self.entries if entry[0] == tag), None)

    def strings(self, tag):
        _, _, at, count = self.find(tag)
        return self.data[at:].split(b"\0")[:count]

    def numbers(self, tag):
        _, _, at, count = self.find(tag)
        return list(struct.unpack(f">{count}I", self.data[at:at + 4 * count]))

    def paths(self):
        dirs = self.strings(DIRNAMES)
        return [dirs[d] + base for d, base in zip(self.numbers(DIRINDEXES), self.strings(BASENAMES))]

    def append(self, tag, kind, count, data):
        while len(self.data) % 4:
            self.data.append(0)
        self.entries.append([tag, kind, len(self.data), count])
        self.data += data


    def put(self, tag, data):
        at = self.find(tag)[2]
        self.data[at:at + len(data)] = data

    def region(self):
        """What the signature covers."""
        assert self.entries[0][0] == REGION
        at = self.entries[0][2]
        count = -struct.unpack(">IIiI", self.data[at:at + 16])[2] // 16
        head = bytes.fromhex("8eade80100000000") + struct.pack(">II", count, at + 16)
        return head + b"".join(struct.pack(">IIiI", *e) for e in self.entries[:count]) + bytes(self.data[:at + 16])


def name_of(blob):
    return Header(blob).strings(NAME)[0].decode()


def columns(header, root, path):
    """Sizes, mtimes and digests of the files, with those of the file as it lies there now."""
    index = header.paths().index(path.encode())
    with open(root + path, "rb") as file:
        content = file.read()
    sizes, mtimes, digests = header.numbers(SIZES), header.numbers(MTIMES), header.strings(DIGESTS)
    sizes[index] = len(content)
    mtimes[index] = int(os.stat(root + path).st_mtime)
    digests[index] = hashlib.sha256(content).hexdigest().encode()
    return {SIZES: (INT32, len(sizes), struct.pack(f">{len(sizes)}I", *sizes)),
            MTIMES: (INT32, len(mtimes), struct.pack(f">{len(mtimes)}I", *mtimes)),
            DIGESTS: (STRINGS, len(digests), b"".join(digest + b"\0" for digest in digests))}


def override(header, root, path):
    for tag, (kind, count, data) in columns(header, root, path).items():
        header.append(tag, kind, count, data)


def rewrite(header, root, path):
    for tag, (_, _, data) in columns(header, root, path).items():
        header.put(tag, data)
    header.put(SHA1, hashlib.sha1(header.region()).hexdigest().encode())
    header.put(SHA256, hashlib.sha256(header.region()).hexdigest().encode())


def set_states(header, state):
    _, _, at, count = header.find(STATES)
    header.data[at:at + count] = bytes([int(state)]) * count


def flip(header):
    header.data[header.find(MODES)[2]] ^= 1


def unsign(header):
    header.entries = [entry for entry in header.entries if entry[0] not in SIGNATURES]


def main(database, what, *args):
    db = sqlite3.connect(database)
    rows = db.execute("SELECT hnum, blob FROM Packages ORDER BY hnum").fetchall()
    if what == "blobs":
        for number, blob in rows:
            path = f"{args[0]}/{number:04}"
            with open(path, "wb") as file:
                file.write(blob)
            print(path)
        return
    number, blob = next(row for row in rows if name_of(row[1]) == args[0])
    if what == "forget":
        db.execute("DELETE FROM Packages WHERE hnum = ?", (number,))
    else:
        header = Header(blob)
        verbs = {"override": override, "rewrite": rewrite, "states": set_states, "flip": flip, "unsign": unsign}
        verbs[what](header, *args[1:])
        db.execute("UPDATE Packages SET blob = ? WHERE hnum = ?", (header.pack(), number))
    db.commit()
    db.close()


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
