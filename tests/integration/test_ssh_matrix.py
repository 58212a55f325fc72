#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every SSH set-up, against real sshd: who speaks with the host, and in which state it ends.

    test_ssh_matrix.py BUILD_DIR [ROW...]

One sshd a server set-up, all in one mount namespace with users, sudoers, homes and a package database of their own.
`muster doctor` says as whom the probe spoke, `muster check` scans: a folder with one file and a package without any, so that
a scan costs as good as nothing beside its session. ROWS is the matrix, and what is printed is what docs/ssh.md shows.
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

HARDENED = ["KexAlgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256,curve25519-sha256@libssh.org,"
            "diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group-exchange-sha256",
            "Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,"
            "aes128-ctr",
            "MACs hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,umac-128-etm@openssh.com",
            "HostKeyAlgorithms ssh-ed25519,rsa-sha2-512,rsa-sha2-256",
            "PubkeyAcceptedAlgorithms ssh-ed25519,rsa-sha2-512,rsa-sha2-256"]

# Servers by name: lines of sshd_config. @ is the folder of the test.
SERVERS = {
    "debian": [],
    "aead": ["Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com"],
    "etm": ["Ciphers aes256-ctr,aes128-ctr", "MACs hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com"],
    "umac": ["Ciphers aes256-ctr", "MACs umac-128-etm@openssh.com,umac-64-etm@openssh.com"],
    "hardened": HARDENED,
    "rsa": ["HostKeyAlgorithms rsa-sha2-512,rsa-sha2-256", "PubkeyAcceptedAlgorithms rsa-sha2-512,rsa-sha2-256"],
    "usercert": ["TrustedUserCAKeys @/ca.pub", "AuthorizedKeysFile none"],
    "hostcert": ["HostCertificate @/host_ed25519-cert.pub"],
    "othercert": ["HostCertificate @/host_rsa-cert.pub"],
    "sntrup": ["KexAlgorithms sntrup761x25519-sha512@openssh.com"],
    "nojump": ["AllowTcpForwarding no"],
}

LIB, NONE = "libssh2", None
LOOKED = ("clean", "findings", "partial")

# name, server, lines of ssh_config beside address, port and user plain, options of muster, transport, state, note.
# States: root, user (the probe has spoken, as whom), or the outcome.
ROWS = [
    ("defaults", "debian", [], [], LIB, "user", "Debian 12's sshd"),
    ("root", "debian", ["User root"], [], LIB, "root", "logs in as root"),
    ("aead", "aead", [], [], LIB, "user", "AEAD ciphers only"),
    ("etm", "etm", [], [], LIB, "user", "encrypt-then-mac only"),
    ("umac", "umac", [], [], "ssh (UMAC only)", "user", ""),
    ("hardened", "hardened", [], [], LIB, "user", "as ssh-audit advises"),
    ("rsa", "rsa", ["IdentityFile @/user_rsa"], [], LIB, "user", "RSA user and host key, SHA-2 only"),
    ("user-cert", "usercert", ["IdentityFile @/user_cert"], [], LIB, "user", "certificate beside the key"),
    ("certfile", "usercert", ["IdentityFile @/user_moved", "CertificateFile @/moved.pub"], [], LIB, "user",
     "CertificateFile"),
    ("host-cert", "hostcert", ["UserKnownHostsFile @/known_ca"], [], "ssh (host certificate only)", "user",
     "@cert-authority alone is known"),
    ("host-cert-forced", "hostcert", ["UserKnownHostsFile @/known_ca"], ["--transport", "libssh2"], LIB, "key-unknown", ""),
    ("host-cert-stale", "hostcert", ["UserKnownHostsFile @/known_stale_ca"], [], "ssh (host certificate)", "user",
     "its plain key has changed, the authority's word holds"),
    ("host-cert-wrong", "othercert", ["UserKnownHostsFile @/known_ca"], [], "ssh (host certificate only)", "key-mismatch",
     "a certificate for another name"),
    ("sntrup", "sntrup", [], [], "ssh (post-quantum key exchange only)", "user", ""),
    ("sntrup-forced", "sntrup", [], ["--transport", "libssh2"], LIB, "kex-failed", ""),
    ("agent", "debian", ["IdentityFile none"], [], LIB, "user", "the key is ssh-agent's"),
    ("jump", "debian", ["ProxyJump defaults"], [], LIB, "user", ""),
    ("two-jumps", "etm", ["ProxyJump defaults,hardened"], [], LIB, "user", ""),
    ("jump-forbidden", "debian", ["ProxyJump nojump"], [], LIB, "jump-failed", "AllowTcpForwarding no"),
    ("jump-by-ssh", "debian", ["ProxyJump defaults,hardened"], ["--transport", "ssh"], "ssh (as configured)", "user", ""),
    ("jump-to-sntrup", "sntrup", ["ProxyJump defaults"], [], "ssh (post-quantum key exchange only)", "user", ""),
    ("jump-by-ssh-known", "debian", ["ProxyJump defaults,hardened", "UserKnownHostsFile none"],
     ["--transport", "ssh", "--known-hosts", "@/known_hosts"], "ssh (as configured)", "user", ""),
    ("jump-by-ssh-forbidden", "debian", ["ProxyJump nojump"], ["--transport", "ssh"], "ssh (as configured)", "jump-failed", ""),
    ("jump-by-ssh-gone", "debian", ["ProxyJump gone"], ["--transport", "ssh"], "ssh (as configured)", "jump-failed", ""),
    ("gone-by-jump-by-ssh", "debian", ["Port 1", "ProxyJump defaults"], ["--transport", "ssh"], "ssh (as configured)",
     "no-route", ""),
    ("sntrup-jump", "debian", ["ProxyJump sntrup"], [], "ssh (jump host sntrup: post-quantum key exchange only)", "user", ""),
    ("sntrup-jump-forced", "debian", ["ProxyJump sntrup"], ["--transport", "libssh2"], LIB, "jump-failed", ""),
    ("sntrup-first-jump", "debian", ["ProxyJump sntrup,etm"], [],
     "ssh (jump host sntrup: post-quantum key exchange only)", "user", "the second of two has no fault"),
    ("sntrup-last-jump", "etm", ["ProxyJump defaults,sntrup"], [],
     "ssh (jump host sntrup: post-quantum key exchange only)", "user", ""),
    ("host-cert-jump", "debian", ["ProxyJump host-cert"], [], "ssh (jump host host-cert: host certificate only)", "user", ""),
    ("proxycommand-jump", "debian", ["ProxyJump proxycommand"], [], "ssh (jump host proxycommand: ProxyCommand)", "user", ""),
    ("proxycommand", "debian", ["ProxyCommand /usr/bin/ssh -F @/ssh_config -W [%h]:%p defaults"], [], "ssh (ProxyCommand)",
     "user", ""),
    ("proxy-fails", "debian", ["ProxyCommand echo out of order >&2; exit 1"], [], "ssh (ProxyCommand)", "lost", ""),
    ("by-ssh", "debian", [], ["--transport", "ssh"], "ssh (as configured)", "user", ""),
    ("ssh-sudo", "debian", ["User admin"], ["--transport", "ssh", "--become", "sudo"], "ssh (as configured)", "root",
     "sudo -n"),
    ("ssh-pinned", "debian", ["User pinned"], ["--transport", "ssh", "--become", "pinned"], "ssh (as configured)", "root",
     "muster sudoers"),
    ("sudo", "debian", ["User admin"], ["--become", "sudo"], LIB, "root", "sudo -n"),
    ("no-sudo", "debian", [], ["--become", "sudo"], LIB, "no-sudo", "the user is not in sudoers"),
    ("pinned", "debian", ["User pinned"], ["--become", "pinned"], LIB, "root", "muster sudoers"),
    ("foreign-home", "debian", ["User squashed"], [], LIB, "user", "home is 0700 of somebody else"),
    ("foreign-home-sudo", "debian", ["User squashed"], ["--become", "sudo"], LIB, "root", ""),
    ("busybox", "debian", ["User uash"], [], LIB, "user", "login shell ash of busybox"),
    ("csh", "debian", ["User ucsh"], [], LIB, "user", "login shell csh"),
    ("csh-by-ssh", "debian", ["User ucsh"], ["--transport", "ssh"], "ssh (as configured)", "user", ""),
    ("alias", "debian", ["HostKeyAlias somebody", "UserKnownHostsFile @/known_alias"], [], LIB, "user",
     "HostKeyAlias, UserKnownHostsFile"),
    ("included", "debian", ["Include @/included"], [], LIB, "user", "Include names key and user"),
    ("matched", "debian", [], [], LIB, "user", "Match host names the user"),
    ("revoked", "debian", ["UserKnownHostsFile @/known_revoked"], [], LIB, "key-mismatch", "@revoked"),
    ("revoked-file", "debian", ["RevokedHostKeys @/revoked_keys"], [], "ssh (RevokedHostKeys)", "key-mismatch", ""),
    ("unknown", "debian", ["UserKnownHostsFile none"], [], LIB, "key-unknown", ""),
    ("unknown-by-ssh", "debian", ["UserKnownHostsFile none"], ["--transport", "ssh"], "ssh (as configured)", "key-unknown", ""),
    ("wrong-key", "debian", ["IdentityFile @/user_other", "IdentitiesOnly yes"], [], LIB, "auth-failed", ""),
    ("fido", "debian", ["IdentityFile @/user_sk", "IdentitiesOnly yes"], [], "ssh (FIDO key)", "auth-failed", "no token here to log in with"),
    ("gssapi", "debian", ["GSSAPIAuthentication yes", "PreferredAuthentications gssapi-with-mic"], [], "ssh (GSSAPI)",
     "auth-failed", "no ticket here to log in with"),
]

SHELLS = {"uash": "busybox", "ucsh": "csh"}
WAIT_S = 20


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(77)


def run(*command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more).stdout


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def free_ports(count):
    """All held at once, so that no two are the same."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Lab:
    """Keys, users and servers below one folder; nothing of it outlives `down`."""

    def __init__(self, build):
        self.build = build
        self.muster = f"{build}/bin/muster"
        self.sshd = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin:/sbin:"
                                 + os.environ.get("MUSTER_DEPS", f"{build}/../deps") + "/openssh")
        self.dir = tempfile.mkdtemp(prefix="muster-matrix.", dir="/tmp")
        os.chmod(self.dir, 0o755)
        self.ports = dict(zip(SERVERS, free_ports(len(SERVERS))))
        self.server = self.agent = None
        self.environment = {}

    def expand(self, text):
        return text.replace("@/", self.dir + "/")

    def key(self, name, kind="ed25519"):
        run("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", name, "-f", f"{self.dir}/{name}")
        return read(f"{self.dir}/{name}.pub")

    def keys(self):
        host = {kind: self.key(f"host_{kind}", kind) for kind in ("ed25519", "ecdsa", "rsa")}
        user = self.key("user_ed25519") + self.key("user_rsa", "rsa") + self.key("user_agent")
        other = self.key("user_other")
        authority = self.key("ca")
        for name in ("user_cert", "user_moved"):
            self.key(name)
            run("ssh-keygen", "-q", "-s", f"{self.dir}/ca", "-I", "u", "-n", "plain", f"{self.dir}/{name}.pub")
        os.rename(f"{self.dir}/user_moved-cert.pub", f"{self.dir}/moved.pub")
        run("ssh-keygen", "-q", "-s", f"{self.dir}/ca", "-h", "-I", "h", "-n", "127.0.0.1", f"{self.dir}/host_ed25519.pub")
        run("ssh-keygen", "-q", "-s", f"{self.dir}/ca", "-h", "-I", "h", "-n", "elsewhere", f"{self.dir}/host_rsa.pub")
        # What a FIDO token leaves on disk; there is no token.
        write(f"{self.dir}/user_sk", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", 0o600)
        write(f"{self.dir}/user_sk.pub", "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAAAAAAA"
              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABHNzaDo= token\n")
        plain = [" ".join(text.split()[:2]) for text in host.values()]
        stale = " ".join(other.split()[:2])
        write(f"{self.dir}/known_hosts", "".join(f"[127.0.0.1]:{port} {key}\n" for port in self.ports.values()
                                                 for key in plain))
        write(f"{self.dir}/known_ca", f"@cert-authority * {authority}")
        write(f"{self.dir}/known_stale_ca", f"@cert-authority * {authority}[127.0.0.1]:{self.ports['hostcert']} {stale}\n")
        write(f"{self.dir}/known_alias", "".join(f"somebody {key}\n" for key in plain))
        write(f"{self.dir}/known_revoked", read(f"{self.dir}/known_hosts") + "".join(f"@revoked * {key}\n" for key in plain))
        write(f"{self.dir}/revoked_keys", "".join(f"{key}\n" for key in plain))
        write(f"{self.dir}/authorized", user)

    def users(self):
        """What stands over the machine's own files in the servers' namespace."""
        passwd = [line for line in read("/etc/passwd").splitlines() if not line.startswith(("root:", "sshd:"))]
        passwd += [f"root:x:0:0:root:{self.dir}/home/root:/bin/sh", "sshd:x:74:65534::/run/sshd:/usr/sbin/nologin"]
        shadow = [line for line in read("/etc/shadow").splitlines() if not line.startswith("root:")]
        shadow.append("root:*:19000:0:99999:7:::")
        os.makedirs(f"{self.dir}/home/root")
        for number, name in enumerate(("plain", "admin", "pinned", "squashed", *SHELLS)):
            uid = 61000 + number
            shell = "/bin/sh"
            if name in SHELLS:
                program = shutil.which(SHELLS[name])
                shell = f"{self.dir}/{name}"
                if program:
                    # As a copy by its usual name: busybox goes by that.
                    os.makedirs(f"{self.dir}/{name}.d")
                    shell = f"{self.dir}/{name}.d/" + ("ash" if name == "uash" else "csh")
                    os.symlink(os.path.realpath(program), shell)
            home = f"{self.dir}/home/{name}"
            os.makedirs(home)
            os.chown(home, uid, uid)
            if name == "squashed":
                os.chown(home, 65534, 65534)
                os.chmod(home, 0o700)
            passwd.append(f"{name}:x:{uid}:{uid}::{home}:{shell}")
            shadow.append(f"{name}:*:19000:0:99999:7:::")
        write(f"{self.dir}/passwd", "\n".join(passwd) + "\n")
        write(f"{self.dir}/shadow", "\n".join(shadow) + "\n", 0o600)
        # What a scan looks at there: enough to see that it is one, and nothing that costs time.
        os.makedirs(f"{self.dir}/scanned")
        write(f"{self.dir}/scanned/file", "content\n")
        os.makedirs(f"{self.dir}/dpkg/info")
        write(f"{self.dir}/dpkg/status", "Package: tiny\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n")
        write(f"{self.dir}/dpkg/info/tiny.list", "/.\n")
        rule = run(self.muster, "sudoers", "--user", "pinned")
        write(f"{self.dir}/sudoers", "root ALL=(ALL) ALL\nadmin ALL=(ALL) NOPASSWD: ALL\nsquashed ALL=(ALL) NOPASSWD: ALL\n"
              + rule, 0o440)

    def configs(self):
        for name, lines in SERVERS.items():
            own = [self.expand(line) for line in lines]
            hosts = ["rsa"] if name == "rsa" else ["ed25519", "ecdsa", "rsa"]
            # The first word for a keyword counts.
            write(f"{self.dir}/sshd_{name}", "\n".join(
                own + ["ListenAddress 127.0.0.1", f"Port {self.ports[name]}", f"AuthorizedKeysFile {self.dir}/authorized",
                       "PidFile none", "StrictModes no", "UsePAM no", "PermitRootLogin yes", "LogLevel VERBOSE",
                       "MaxStartups 100"] + [f"HostKey {self.dir}/host_{kind}" for kind in hosts]) + "\n")
        text = ""
        names = [(name, server, lines) for name, server, lines, *_ in ROWS] + [("nojump", "nojump", []), ("gone", "debian", ["Port 1"])]
        for name, server, lines in names:
            lines = [self.expand(line) for line in lines]
            if not any(line.startswith("IdentityFile") for line in lines):
                lines.append(f"IdentityFile {self.dir}/user_ed25519")
            # The first word for a keyword counts.
            text += f"Host {name}\n" + "".join(f"\t{line}\n" for line in lines)
            text += f"\tHostName 127.0.0.1\n\tPort {self.ports[server]}\n"
        text += "Match host 127.0.0.1 originalhost matched\n\tUser plain\n"
        text += (f"Host *\n\tUser plain\n\tUserKnownHostsFile {self.dir}/known_hosts\n"
                 "\tGlobalKnownHostsFile none\n")
        write(f"{self.dir}/ssh_config", text)
        write(f"{self.dir}/included", f"IdentityFile {self.dir}/user_rsa\nUser plain\n")
        write(f"{self.dir}/muster.yaml", f"db: {self.dir}/muster.db\nbaseline: {self.dir}/baseline\n")
        git = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_AUTHOR_NAME": "x", "GIT_AUTHOR_EMAIL": "x",
               "GIT_COMMITTER_NAME": "x", "GIT_COMMITTER_EMAIL": "x"}
        os.makedirs(f"{self.dir}/baseline")
        # The search for set-uid files goes everywhere: not here.
        others = sorted(f"'/{name}'" for name in os.listdir("/"))
        write(f"{self.dir}/baseline/muster.yaml", f"roots: ['{self.dir}/scanned']\nvolatile: []\nweb_roots: []\nalways: []\n"
              f"exclude: [{', '.join(others)}]\n")
        for words in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "policy")):
            run("git", *words, cwd=f"{self.dir}/baseline", env={**os.environ, **git})

    def up(self):
        self.keys()
        self.users()
        self.configs()
        servers = " ".join(f'"{self.sshd}" -D -e -f "$0/sshd_{name}" 2>"$0/log_{name}" &' for name in SERVERS)
        # Ends with us, whatever becomes of us, and takes the servers with it: the namespace's first process.
        script = ("mount -t tmpfs -o mode=755 none /run; mkdir -p /run/sshd /run/sudo; for file in passwd shadow sudoers; do "
                  'mount --bind "$0/$file" "/etc/$file"; done; mount --bind "$0/dpkg" /var/lib/dpkg; ' + servers
                  + " cat >/dev/null; kill $(jobs -p)")
        self.server = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "bash", "-c",
             script, self.dir], stdin=subprocess.PIPE)
        for name in SERVERS:
            self.await_server(name)
        said = run("ssh-agent", "-s", "-a", f"{self.dir}/agent")
        self.agent = int(re.search(r"SSH_AGENT_PID=(\d+)", said).group(1))
        run("ssh-add", "-q", f"{self.dir}/user_agent", env={**os.environ, "SSH_AUTH_SOCK": f"{self.dir}/agent"})

    def await_server(self, name):
        log = f"{self.dir}/log_{name}"
        for _ in range(WAIT_S * 20):
            if os.path.exists(log) and "Server listening" in read(log):
                return
            try:
                self.server.wait(0.05)
                break
            except subprocess.TimeoutExpired:
                pass
        sys.exit(f"FAILED: the sshd of {name} does not come up: {read(log) if os.path.exists(log) else ''}")

    def down(self):
        if self.agent:
            os.kill(self.agent, signal.SIGTERM)
        if self.server:
            self.server.stdin.close()
            try:
                self.server.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def ask(self, verb, rows, options, *more):
        """What muster says of rows with the same options."""
        become = [] if "--become" in options else ["--become", "none"]
        environment = {**os.environ, "HOME": self.dir, "XDG_CONFIG_HOME": self.dir, "NO_COLOR": "1",
                       "SSH_AUTH_SOCK": f"{self.dir}/agent", **self.environment}
        return subprocess.run([self.muster, verb, "--config", f"{self.dir}/muster.yaml", "--ssh-config",
                               f"{self.dir}/ssh_config", *[self.expand(word) for word in options], *become, *more,
                               *[row[0] for row in rows]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=environment, check=False, timeout=200).stdout

    def visit(self, rows, options):
        """`muster doctor`: {name: (transport, state)} and all that was said."""
        said = self.ask("doctor", rows, options)
        return {row[0]: self.result(row[0], said) for row in rows}, said

    def scan(self, rows, options):
        """`muster check`: {name: (transport, state)} and all that was said."""
        said = self.ask("check", rows, options, "--format", "ndjson")
        results = {}
        for line in said.splitlines():
            record = json.loads(line) if line.startswith("{") else {}
            if record.get("type") == "host":
                why = record.get("transport_reason")
                state = record["state"]
                seen = any(part["check"] == "tree" and part["state"] == "done" and part["count"] == 1
                           for part in record["coverage"])
                if state in LOOKED and not seen:
                    state = "nothing seen"
                results[record["host"]] = (record["transport"] + (f" ({why})" if why else ""), state)
        return results, said

    def type_in(self, command):
        """Exit code and words of a command line, as somebody types or pastes it, in the folder of the lab."""
        environment = {**os.environ, "HOME": self.dir, "XDG_CONFIG_HOME": self.dir, "NO_COLOR": "1",
                       "PATH": f"{self.build}/bin:{os.environ['PATH']}"}
        done = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=environment, cwd=self.dir, check=False, timeout=200)
        return done.returncode, done.stdout

    def newcomer(self):
        """Inventory, unknown key, its review, a check: each command but the first is the one that was advised."""
        write(f"{self.dir}/two hosts.yaml", "hosts:\n" + "".join(
            f"  {name}: {{address: 127.0.0.1, port: {self.ports['debian']}, user: plain, become: none, transport: {transport}, "
            f"identity: {self.dir}/user_ed25519}}\n" for name, transport in (("new1", "auto"), ("new2", "ssh"))))
        faults = []

        def expect(what, right, said):
            if not right:
                faults.append(f"FAILED: {what}\n" + "".join(f"    {line}\n" for line in said.splitlines()))

        code, said = self.type_in("muster check @all -i 'two hosts.yaml' --ssh-config none --config muster.yaml")
        expect("an unknown key ends a check", code == 3 and "key-unknown" in said, said)
        advised = re.search(r"fetch the key for review: (muster hosts keys .*)", said)
        expect("hosts keys is advised", advised, said)
        review = (advised.group(1) if advised else "false").replace("FILE", "'the keys'").replace("keys new1", "keys @all")
        code, said = self.type_in(review)
        lines = read(f"{self.dir}/the keys").splitlines() if os.path.exists(f"{self.dir}/the keys") else []
        expect("keys are written by the name that known_hosts goes by", code == 0 and lines and all(
            line.startswith(f"[127.0.0.1]:{self.ports['debian']} ") for line in lines), said)
        advised = re.search(r"  (muster check .*)", said)
        expect("a check is advised", advised, said)
        code, said = self.type_in(advised.group(1) + " --config muster.yaml --format ndjson" if advised else "false")
        by = dict(re.findall(r'"host":"(new.)","state":"[a-z]*","reason":"[^"]*","advice":"[^"]*","transport":"([a-z0-9]*)"', said))
        expect("the inventory says who speaks", by == {"new1": "libssh2", "new2": "ssh"}, said)
        code, said = self.type_in(review)
        expect("keys that are there are not written again", code == 0 and "0 keys written" in said and
               read(f"{self.dir}/the keys").splitlines() == lines, said)
        other = " ".join(read(f"{self.dir}/user_other.pub").split()[:2])
        write(f"{self.dir}/the keys", f"[127.0.0.1]:{self.ports['debian']} {other}\n")
        code, said = self.type_in(review)
        expect("a key that contradicts the file is not written beside it",
               code == 1 and "  other\n" in said and "Next" not in said and "ssh-ed25519 " in read(f"{self.dir}/the keys")
               and read(f"{self.dir}/the keys").count("ssh-ed25519") == 1, said)
        code, said = self.type_in("muster check web1:22: --config muster.yaml --ssh-config none --become none")
        expect("what is no host name is told as that", code == 3 and "web1:22: is no host name" in said, said)
        code, said = self.type_in("muster show new2 --config muster.yaml")
        expect("show names who spoke", "transport ssh (as configured)" in said, said)
        return faults

    @staticmethod
    def result(name, said):
        transport = re.compile(r"transport: (libssh2|ssh \([^)]*\))")
        for line in said.splitlines():
            words = line.split()
            if words[:1] == ["stop"] and len(words) > 2 and name in words[1].split(","):
                found = transport.search(line)
                return (found.group(1) if found else None), words[2]
            if words[:1] in (["ok"], ["note"]) and words[1:2] == [name] and words[2:3] == ["uid"]:
                found = transport.search(line)
                return (found.group(1) if found else None), ("root" if words[3] == "0," else "user")
        return None, "not told"


def missing(row):
    if row[1] in ("debian",) and "sudo" not in row[0] and "pinned" not in row[0]:
        shell = {"busybox": "busybox", "csh": "csh", "csh-by-ssh": "csh"}.get(row[0])
        return shell if shell and not shutil.which(shell) else None
    needs_sudo = "--become" in row[3]
    return "sudo" if needs_sudo and not shutil.which("sudo") else None


def main():
    if os.geteuid() != 0:
        skip("needs root")
    for program in ("ssh", "ssh-keygen", "ssh-agent", "ssh-add", "unshare", "bash"):
        if not shutil.which(program):
            skip(f"needs {program}")
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], check=False, stderr=subprocess.DEVNULL).returncode:
        skip("needs namespaces of its own, refused here (a container without CAP_SYS_ADMIN?)")
    lab = Lab(os.path.abspath(sys.argv[1]))
    wanted = sys.argv[2:]
    failures = skipped = 0
    try:
        if not lab.sshd:
            skip("needs sshd")
        lab.up()
        groups, told = {}, {}
        for row in ROWS:
            if wanted and row[0] not in wanted:
                continue
            groups.setdefault(tuple(row[3]), []).append(row)
        for options, rows in groups.items():
            rows = [row for row in rows if not missing(row)]
            results, said = lab.visit(rows, list(options)) if rows else ({}, "")
            scanned, more = lab.scan(rows, list(options)) if rows else ({}, "")
            told.update({name: (result, scanned.get(name, (None, "not told")), said + more) for name, result in results.items()})
        print("| set-up | transport | doctor | check | note |\n|---|---|---|---|---|")
        for name, _, _, options, transport, state, note in ROWS:
            if name not in told:
                skipped += not wanted
                continue
            (by, ended), (scanned_by, scanned), said = told[name]
            # Root sees all there is; another user may not.
            wanted_scan = LOOKED[:2] if state == "root" else LOOKED if state == "user" else (state,)
            right = (by, ended) == (transport, state) and scanned_by == transport and scanned in wanted_scan
            failures += not right
            notes = ", ".join(part for part in (note, "`" + " ".join(options) + "`" if options else "") if part)
            print(f"| {name} | {by} | `{ended}` | `{scanned}` | {notes} |"
                  + ("" if right else f"  FAILED: wanted {transport}, {state}; the check was by {scanned_by}"))
            if not right:
                print("\n".join("    " + line for line in said.splitlines() if name in line))
        faults = [] if wanted else lab.newcomer()
        print("".join(faults), end="")
        failures += len(faults)
    finally:
        lab.down()
    print(f"{failures} failures, {skipped} skipped for want of a program")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
