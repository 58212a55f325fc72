# SPDX-License-Identifier: MIT
"""The hosts of tests/bench/fleet: simulated ones, and one sshd on many addresses."""
import os
import shutil
import socket
import subprocess
import sys
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Fleet:
    """Keys, addresses, and the server that plays them."""

    def __init__(self, build, work, hosts, files, *more):
        self.build, self.work, self.hosts = build, work, hosts
        self.database = f"{work}/fleet-{hosts}.db"
        self.port = free_port()
        self.addresses = [f"127.1.{(i + 1) // 256}.{(i + 1) % 256}" for i in range(hosts)]
        self.files = files
        self.write()
        self.start(*more)

    def start(self, *more):
        self.process = subprocess.Popen(self.command(self.files) + list(more), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.wait_ready()

    def restart(self, *more):
        self.close()
        self.start(*more)

    def command(self, files):
        return [f"{self.build}/tests/bench/fleet_sim", "--port", str(self.port), "--key", f"{self.work}/host",
                "--hosts", str(self.hosts), "--files", str(files)]

    def wait_ready(self):
        if self.process.stdout.readline() != b"ready\n":
            sys.exit("fleet: fleet_sim does not start")

    def write(self):
        with open(f"{self.work}/host.pub", encoding="ascii") as key:
            blob = " ".join(key.read().split()[:2])
        with open(f"{self.work}/known_hosts", "w", encoding="ascii") as known:
            known.writelines(f"[{address}]:{self.port} {blob}\n" for address in self.addresses)
        with open(f"{self.work}/hosts", "w", encoding="ascii") as hosts:
            hosts.writelines(f"{address}\n" for address in self.addresses)

    def close(self):
        self.process.terminate()
        self.process.wait(30)


class RealFleet(Fleet):
    """One sshd on many addresses, in a mount namespace where it has a host key of ours."""

    def command(self, files):
        config = f"{self.work}/sshd_config"
        with open(config, "w", encoding="ascii") as to:
            to.write(f"HostKey {self.work}/host\nAuthorizedKeysFile {self.work}/user.pub\nPidFile none\n"
                     "StrictModes no\nUsePAM no\nMaxStartups 2000:30:3000\nPermitRootLogin yes\nLogLevel ERROR\n"
                     "ChrootDirectory /run/root\n")
        self.root()
        sshd = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin") or \
            f"{os.environ.get('MUSTER_DEPS', 'build/deps')}/openssh/sshd"
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                "mount -t tmpfs -o mode=755 none /run && mkdir /run/sshd /run/root && mount --bind \"$3\" /run/root && "
                "mount --bind /proc /run/root/proc && mount --bind /dev /run/root/dev && "
                "mount --bind \"$3/etc/passwd\" /etc/passwd && "
                "exec \"$0\" -D -e -p \"$1\" -f \"$2\"",
                sshd, str(self.port), config, f"{self.work}/root"]

    def root(self):
        """busybox, what it links, and a package database that knows it."""
        root, busybox = f"{self.work}/root", shutil.which("busybox")
        for folder in ("bin", "dev", "etc", "proc", "root", "tmp", "usr", "var/lib/dpkg/info"):
            os.makedirs(f"{root}/{folder}")
        os.chmod(f"{root}/tmp", 0o1777)
        linked = subprocess.run(["ldd", busybox], stdout=subprocess.PIPE, check=False).stdout.decode().split()
        files = ["/bin/busybox"]
        shutil.copy(busybox, f"{root}/bin/busybox")
        for path in (word for word in linked if word.startswith("/")):
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            shutil.copy(path, root + path)
            files.append(path)
        for name in subprocess.run([busybox, "--list"], stdout=subprocess.PIPE, check=True).stdout.decode().split():
            if name != "busybox":
                os.symlink("busybox", f"{root}/bin/{name}")
                files.append(f"/bin/{name}")
        for name, text in (("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"
                            "sshd:x:105:65534::/run/sshd:/usr/sbin/nologin\n"), ("etc/group", "root:x:0:\n"),
                           ("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n"),
                           ("var/lib/dpkg/status", "Package: busybox\nStatus: install ok installed\n"
                            "Architecture: amd64\nVersion: 1\nMaintainer: none\nDescription: none\n\n"),
                           ("var/lib/dpkg/info/busybox.list", "/.\n" + "\n".join(files) + "\n")):
            with open(f"{root}/{name}", "w", encoding="ascii") as to:
                to.write(text)
        return root

    def wait_ready(self):
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        sys.exit("fleet: sshd does not start")
