#!/usr/bin/env python3
"""deploy/nginx.conf with Debian's nginx before two servers on this machine: sessions stick to their server, videos are
found, a server that stops drains without a failed request, and too large a request never reaches a server.

Tests/Operations/nginx.py PROGRAMS [--measure SECONDS]

PROGRAMS is the folder of mien-server. Needs nginx (apt: nginx-light), openssl and the sample photo.
With --measure, prints the requests per second of one server and of two, each on a core of its own.
"""

import collections
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parents[2]
PHOTO = HERE / ".native/samples/astronaut.png"


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def y4m(frames):
    """A grey clip: a video without faces that is read quickly."""
    side = 64
    frame = b"FRAME\n" + bytes([128]) * (side * side * 3)
    return f"YUV4MPEG2 W{side} H{side} F25:1 Ip A1:1 C444\n".encode() + frame * frames


class Server:
    """One mien serve with a log and a state folder."""

    def __init__(self, program, folder, number, port, tokens, core=None):
        self.program, self.port, self.core = program, port, core
        self.folder = folder / f"server{number}"
        self.folder.mkdir()
        self.tokens = tokens
        self.start()

    def start(self):
        with open(self.folder / "log", "ab") as log:
            command = [
                self.program, "serve", "--port", str(self.port), "--state-dir", self.folder / "state", "--token-file",
                self.tokens, "--allowed-host", "mien.example.org", "--wait-timeout", "60",
            ]
            if self.core is not None:
                command = ["taskset", "-c", str(self.core)] + command
            self.process = subprocess.Popen(command, stderr=log)
        for _ in range(1200):
            if self.process.poll() is not None:
                raise SystemExit((self.folder / "log").read_text())
            try:
                if self.ask("GET", "/readyz")[0] == 200:
                    return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("the server does not start")

    def ask(self, method, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, headers={"Authorization": f"Bearer {TOKENS[0]}"})
        response = connection.getresponse()
        return response.status, response.read()

    def requests(self):
        """Answered requests by route."""
        counts = collections.Counter()
        for route, count in re.findall(
            r'^mien_requests_total\{[^}]*route="([^"]*)"[^}]*\} (\d+)$', self.ask("GET", "/metrics")[1].decode(), re.M
        ):
            counts[route] += int(count)
        return counts

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        assert status == 0, f"the server ended with {status}"


TOKENS = [f"operations-test-token-{number:04}" for number in range(16)]


class Edge:
    """nginx, as a client sees it."""

    def __init__(self, folder, ports):
        self.port = free_port()
        text = (HERE / "deploy/nginx.conf").read_text()
        for old, new in [
            ("127.0.0.1:8081", f"127.0.0.1:{ports[0]}"), ("127.0.0.1:8082", f"127.0.0.1:{ports[-1]}"),
            ("listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl"),
            ("/etc/ssl/mien-key.pem", f"{folder}/key.pem"), ("/etc/ssl/mien.pem", f"{folder}/certificate.pem"),
        ]:
            assert old in text, f"deploy/nginx.conf has no {old}"
            text = text.replace(old, new)
        if len(ports) == 1:
            # The same server twice is one server.
            text = re.sub(r"(server 127\.0\.0\.1:\d+ [^\n]*\n)\s*server 127\.0\.0\.1:\d+ [^\n]*\n", r"\1", text)
        paths = "".join(
            f"  {name}_temp_path {folder}/nginx-{name};\n"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;\n" if os.geteuid() == 0 else ""
        configuration = folder / f"nginx-{self.port}.conf"
        configuration.write_text(
            f"{user}daemon off;\nworker_processes 1;\npid {folder}/nginx-{self.port}.pid;\n"
            f"error_log {folder}/nginx.log;\nevents {{ worker_connections 512; }}\n"
            f"http {{\n  access_log {folder}/access.log;\n{paths}{text}\n}}\n"
        )
        program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        subprocess.run([program, "-t", "-q", "-c", configuration, "-p", folder], check=True)
        self.process = subprocess.Popen([program, "-c", configuration, "-p", folder], stderr=subprocess.DEVNULL)
        self.context = ssl._create_unverified_context()
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                time.sleep(0.1)

    def connection(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=120, context=self.context)

    def ask(self, method, path, body=None, token=TOKENS[0], kind="application/octet-stream", connection=None):
        connection = connection or self.connection()
        headers = {"Authorization": f"Bearer {token}", "Host": "mien.example.org"}
        if body is not None:
            headers["Content-Type"] = kind
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return response.status, response.read(), response.headers


def check(edge, servers, photo):
    before = [server.requests()["/v1/detect"] for server in servers]
    for number in range(12):
        status, body, headers = edge.ask("POST", "/v1/detect?detector=none", photo, TOKENS[number % 16])
        assert status == 200, (status, body)
        assert headers["X-Request-Id"], "no request id"
    shares = [server.requests()["/v1/detect"] - old for server, old in zip(servers, before)]
    assert sum(shares) == 12 and min(shares) > 0, f"pictures were not shared: {shares}"
    print(f"pictures by server: {shares}")

    # Sessions: every picture must find the session, which is on one server only.
    sessions = {}
    # An odd number, so that taking turns would not find them again.
    for token in TOKENS[:15]:
        status, body, _ = edge.ask("POST", "/v1/sessions", b"{}", token, "application/json")
        assert status == 201, (status, body)
        sessions[token] = json.loads(body)["id"]
    for moment in range(3):
        for token, session in sessions.items():
            status, body, _ = edge.ask("POST", f"/v1/sessions/{session}/frames?seconds={moment}", photo, token)
            assert status == 200, f"a session was lost: {status} {body}"
    counts = [sum(count for route, count in server.requests().items() if "sessions" in route) for server in servers]
    assert min(counts) > 0, f"one server has all sessions: {counts}"
    print(f"requests of sessions by server: {counts}, none lost")

    # Events arrive one by one, and not when the proxy has a buffer full of them.
    token, session = next(iter(sessions.items()))
    connection = edge.connection()
    connection.putrequest("GET", f"/v1/sessions/{session}/events", skip_host=True)
    connection.putheader("Host", "mien.example.org")
    connection.putheader("Authorization", f"Bearer {token}")
    connection.endheaders()
    events = connection.getresponse()
    status, body, _ = edge.ask("POST", f"/v1/sessions/{session}/frames?seconds=3", photo, token)
    assert status == 200, (status, body)
    while (line := events.readline().decode()) and not line.startswith("data: "):
        pass
    assert line[6:].strip() == body.decode().strip(), (line, body)
    connection.close()
    print("events of a session arrive through nginx")

    # Videos: sent, waited for, listed and read through the edge.
    jobs = {}
    for token in TOKENS[:6]:
        status, body, _ = edge.ask("POST", "/v1/video", y4m(20), token)
        assert status in (200, 201, 202), (status, body)
        jobs[token] = json.loads(body)["id"]
    for token, job in jobs.items():
        for _ in range(600):
            status, body, _ = edge.ask("GET", f"/v1/video/{job}", token=token)
            assert status == 200, f"a video was not found: {status} {body}"
            if json.loads(body)["state"] not in ("queued", "running"):
                break
            time.sleep(0.1)
        assert json.loads(body)["state"] == "done", body
    print(f"videos: {len(jobs)}, each found by its client")

    # What is too large is refused here.
    before = [sum(server.requests().values()) for server in servers]
    connection = edge.connection()
    connection.putrequest("POST", "/v1/detect", skip_host=True)
    connection.putheader("Host", "mien.example.org")
    connection.putheader("Content-Length", str(65 << 20))
    connection.endheaders()
    response = connection.getresponse()
    body = response.read()
    assert response.status == 413 and json.loads(body)["error"]["code"] == "too_large", (response.status, body)
    # Asking for the counts is a request, too.
    after = [sum(server.requests().values()) for server in servers]
    assert [a - b for a, b in zip(after, before)] == [1, 1], "a request that is too large reached a server"
    assert edge.ask("GET", "/metrics")[0] == 404
    print("65 MiB are refused by nginx with 413")


def drain(edge, servers, photo):
    """Requests go on while one server after the other stops and comes back."""
    statuses, problems, stopping = collections.Counter(), [], threading.Event()

    def client():
        connection = edge.connection()
        while not stopping.is_set():
            try:
                status, body, _ = edge.ask("POST", "/v1/detect?detector=none", photo, connection=connection)
                statuses[status] += 1
                if status != 200:
                    problems.append((status, body[:200]))
            except (OSError, http.client.HTTPException) as error:
                problems.append(repr(error))
                connection = edge.connection()

    clients = [threading.Thread(target=client) for _ in range(6)]
    for thread in clients:
        thread.start()

    def answered(count):
        start = sum(statuses.values())
        for _ in range(1200):
            if sum(statuses.values()) >= start + count or problems:
                return
            time.sleep(0.05)
        raise SystemExit("no requests are answered")

    for server in servers:
        answered(10)
        server.stop()
        answered(10)
        server.start()
        # nginx tries a server again two seconds after it failed.
        time.sleep(2.5)
        answered(10)
    stopping.set()
    for thread in clients:
        thread.join()
    assert not problems, f"failed while a server stopped: {problems[:3]}"
    print(f"each server stopped and started again: {statuses[200]} requests, none failed")


def rate(edge, photo, seconds, clients=8):
    done, stop = [0] * clients, time.monotonic() + seconds

    def client(number):
        connection = edge.connection()
        while time.monotonic() < stop:
            status, body, _ = edge.ask("POST", "/v1/detect", photo, TOKENS[number % 16], connection=connection)
            assert status == 200, (status, body)
            done[number] += 1

    start = time.monotonic()
    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.monotonic() - start)


def main():
    programs = pathlib.Path(sys.argv[1]).resolve()
    measure = float(sys.argv[3]) if sys.argv[2:3] == ["--measure"] else None
    if not shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"):
        skip("needs nginx (apt-get install nginx-light)")
    if not shutil.which("openssl"):
        skip("needs openssl")
    if not PHOTO.exists():
        skip("needs the sample photo (make setup)")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mien-nginx."))
    servers, edges = [], []
    try:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=mien.example.org",
             "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
            check=True, stderr=subprocess.DEVNULL)
        tokens = folder / "tokens"
        tokens.write_text("\n".join(TOKENS) + "\n")
        cores = [0, 1] if measure else [None, None]
        for number in range(2):
            servers.append(Server(programs / "mien-server", folder, number, free_port(), tokens, cores[number]))
        photo = PHOTO.read_bytes()
        if measure:
            for count in (1, 2):
                edges.append(Edge(folder, [server.port for server in servers[:count]]))
                rate(edges[-1], photo, 2)
                print(f"{count} server(s): {rate(edges[-1], photo, measure):.1f} pictures per second")
            return
        edges.append(Edge(folder, [server.port for server in servers]))
        check(edges[0], servers, photo)
        drain(edges[0], servers, photo)
        print("nginx: sessions stick, videos are found, servers drain, large requests stop at the edge")
    except BaseException:
        for name in ["nginx.log", "server0/log", "server1/log"]:
            if (folder / name).exists():
                sys.stderr.write("".join((folder / name).read_text().splitlines(True)[-10:]))
        raise
    finally:
        for process in [edge.process for edge in edges] + [server.process for server in servers]:
            if process.poll() is None:
                process.terminate()
        for process in [edge.process for edge in edges] + [server.process for server in servers]:
            process.wait(60)
        shutil.rmtree(folder)


main()
