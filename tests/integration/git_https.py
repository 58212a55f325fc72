#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""git_https.py FOLDER CERTIFICATE KEY: the repositories below FOLDER over https, by git's own http-backend.

Prints its port. /closed/... is the same behind a password that nobody has; /away/... leads to plain http. Ends with its input.
"""
import http.server
import os
import ssl
import subprocess
import sys
import threading

FOLDER, CERTIFICATE, KEY = sys.argv[1:]
BACKEND = os.path.join(subprocess.run(["git", "--exec-path"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip(),
                       "git-http-backend")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def short(self, status, name, value):
        self.send_response(status)
        self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self):
        path, _, query = self.path.partition("?")
        if path.startswith("/closed/"):
            self.short(401, "WWW-Authenticate", 'Basic realm="closed"')
            return
        if path.startswith("/away/"):
            self.short(302, "Location", f"http://127.0.0.1:1{self.path}")
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        done = subprocess.run([BACKEND], input=body, stdout=subprocess.PIPE, check=False, env={
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": FOLDER, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
            "QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""), "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}).stdout
        head, _, rest = done.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n"))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest)

    do_GET = do_POST = answer  # noqa: N815 (named by the module)

    def log_message(self, *_):
        pass


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
