#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_ssh_jump_hostile.py BUILD_DIR: a jump host that lies about what is behind it, and one that is no SSH server at all.

What a jump host does to the bytes of a session that goes through it is played by a server that a real sshd connects to in the
place of the host; the same servers then stand in the place of the jump host itself. All of them are looked at in one run,
beside honest hosts that go through the same session of the same jump host: those must be looked at whole.
"""
import json
import os
import socket
import sys
import threading
import time

import test_ssh_matrix as matrix

NOISE = bytes((i * 167 + 13) % 256 for i in range(65536)).replace(b"\n", b"x")
HONEST = 4


def send_all(to, data):
    try:
        to.sendall(data)
        return True
    except OSError:
        return False


def copy(source, to, most):
    """Up to `most` bytes, then both are closed."""
    try:
        while most > 0:
            data = source.recv(min(4096, most))
            if not data:
                break
            to.sendall(data)
            most -= len(data)
    except OSError:
        pass
    for one in (source, to):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def garbage(conn, _):
    while send_all(conn, NOISE):
        pass


def noise_once(conn, _):
    """Bytes that end in a line, and silence."""
    send_all(conn, NOISE[:200] + b"\r\n" + NOISE[:200])
    conn.recv(1)
    time.sleep(30)


def midway(conn, sshd):
    """The right sshd, which is cut off in the middle of the key exchange."""
    with socket.create_connection(("127.0.0.1", sshd)) as to:
        threading.Thread(target=copy, args=(conn, to, 1 << 30), daemon=True).start()
        copy(to, conn, 1500)


def endless_banner(conn, _):
    while send_all(conn, b"welcome to this host\r\n" * 1000):
        pass


def drips(conn, _):
    for byte in b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n" * 100:
        if not send_all(conn, bytes([byte])):
            return
        time.sleep(1)


# What it does, the state of a host that seems to do it, and words of the reason.
BEHAVIOURS = {
    "garbage": (garbage, ("lost", "over-limit"), "SSH banner"),
    "noise": (noise_once, ("timeout",), "no answer in time"),
    "midway": (midway, ("lost",), "during the key exchange"),
    "banner": (endless_banner, ("over-limit",), "instead of an SSH banner"),
    "drips": (drips, ("timeout",), "no answer in time"),
}


def serve(behave, sshd):
    server = socket.create_server(("127.0.0.1", 0))

    def loop():
        while True:
            try:
                conn, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=behave, args=(conn, sshd), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()
    return server.getsockname()[1]


def main():
    if os.geteuid() != 0:
        matrix.skip("needs root")
    lab = matrix.Lab(os.path.abspath(sys.argv[1]))
    failures = 0
    try:
        if not lab.sshd:
            matrix.skip("needs sshd")
        lab.up()
        ports = {name: serve(row[0], lab.ports["debian"]) for name, row in BEHAVIOURS.items()}
        expected, text = {}, ""
        key = f"\tHostName 127.0.0.1\n\tIdentityFile {lab.dir}/user_ed25519\n"
        for name, (_, states, words) in BEHAVIOURS.items():
            text += f"Host {name}\n\tPort {ports[name]}\n\tProxyJump defaults\n{key}"
            text += f"Host jump-{name}\n\tPort {ports[name]}\n{key}"
            text += f"Host by-{name} by-{name}-too\n\tPort {lab.ports['etm']}\n\tProxyJump jump-{name}\n{key}"
            expected[name] = (states, words)
            for host in (f"by-{name}", f"by-{name}-too"):
                expected[host] = (("jump-failed",), f"jump host jump-{name}: ")
        # It goes to another host than the one that was asked for.
        other = " ".join(matrix.read(f"{lab.dir}/user_other.pub").split()[:2])
        text += f"Host swapped\n\tPort {lab.ports['aead']}\n\tProxyJump defaults\n\tHostKeyAlias swapped\n{key}"
        expected["swapped"] = (("key-mismatch",), "host key changed")
        for i in range(HONEST):
            text += f"Host honest{i}\n\tPort {lab.ports['debian']}\n\tProxyJump defaults\n{key}"
            expected[f"honest{i}"] = (matrix.LOOKED, "")
        known = matrix.read(f"{lab.dir}/known_hosts") + f"swapped {other}\n"
        plain = [line.split(" ", 1)[1] for line in matrix.read(f"{lab.dir}/known_hosts").splitlines()]
        known += "".join(f"[127.0.0.1]:{port} {blob}\n" for port in ports.values() for blob in sorted(set(plain)))
        matrix.write(f"{lab.dir}/known_hosts", known)
        matrix.write(f"{lab.dir}/ssh_config", text + matrix.read(f"{lab.dir}/ssh_config"))
        said = lab.ask("check", [(name,) for name in expected], [], "--format", "ndjson", "--connect-timeout", "10s", "--quiet")
        told = {row["host"]: row for row in map(json.loads, filter(lambda line: line.startswith("{"), said.splitlines()))
                if row["type"] == "host"}
        for name, (states, words) in expected.items():
            row = told.get(name, {"state": "not told", "reason": said[:400], "transport": None})
            right = row["state"] in states and words in row["reason"] and row["transport"] == "libssh2"
            failures += not right
            print(f"{'ok  ' if right else 'FAIL'} {name:16} {row['state']:14} {row['reason'][:110]}")
    finally:
        lab.down()
    print(f"{failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
