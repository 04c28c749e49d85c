#!/usr/bin/env python3
"""How operators run mien serve: options from a file and the environment, SIGHUP, metrics for Prometheus, a user without a
home.

Tests/Operations/serve.py PROGRAMS
"""

import http.client
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parents[2]
PHOTO = HERE / ".native/samples/astronaut.png"
PROGRAM = pathlib.Path(sys.argv[1]).resolve() / "mien-server"
FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="mien-serve."))
if not PHOTO.exists():
    print("skipped: needs the sample photo (make setup)")
    sys.exit(77)

TOKEN, OTHER = "the-first-token-of-a-test", "the-second-token-of-a-test"


def environment(**variables):
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MIEN_SERVE_")}
    return {**clean, **variables}


class Server:
    """A running server, whose log is read from a file."""

    def __init__(self, *arguments, log=None, wrapper=(), **variables):
        self.log = log or FOLDER / f"log-{time.monotonic_ns()}"
        with open(FOLDER / "stderr", "wb") as stderr:
            self.process = subprocess.Popen(
                [*wrapper, PROGRAM, "serve", *arguments], env=environment(**variables), stdin=subprocess.DEVNULL,
                stderr=stderr if log else open(self.log, "wb"))
        self.port = int(self.wait(r'"url":"http://[^"]*:(\d+)"')[1])

    def wait(self, pattern, path=None):
        path = path or self.log
        for _ in range(1200):
            found = re.search(pattern, path.read_text()) if path.exists() else None
            if found:
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise SystemExit(f"no {pattern} in the log: {path.read_text() if path.exists() else ''}{(FOLDER / 'stderr').read_text()}")

    def ask(self, method, path, body=None, token=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, {"Authorization": f"Bearer {token}"} if token else {})
        response = connection.getresponse()
        return response.status, response.read()

    def stop(self):
        self.process.terminate()
        assert self.process.wait(60) == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def refused(arguments=(), file=None, **variables):
    """The exit status and the messages of a server that does not start."""
    if file is not None:
        (FOLDER / "bad.yaml").write_text(file)
        arguments = ["--config", FOLDER / "bad.yaml", *arguments]
    run = subprocess.run(
        [PROGRAM, "serve", *arguments], env=environment(**variables), stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=60)
    return run.returncode, run.stderr


def options():
    state = FOLDER / "state"
    (FOLDER / "serve.yaml").write_text(
        f"# A comment.\nport: 0\nmax-body: 1000\nstate-dir: {state}\nallowed-host: [one.example.org, two.example.org]\n"
        "drain-delay: 0\ntoken-file:\n")
    config = ["--config", FOLDER / "serve.yaml"]
    body = b"x" * 2000

    def sizes(server):
        """Whether 2,000 bytes are too many."""
        with server:
            return server.ask("POST", "/v1/detect", body)[0]

    assert sizes(Server(*config)) == 413
    assert sizes(Server(MIEN_SERVE_CONFIG=str(FOLDER / "serve.yaml"))) == 413
    assert sizes(Server(*config, MIEN_SERVE_MAX_BODY="3000")) != 413, "the environment does not come before the file"
    assert sizes(Server(*config, "--max-body", "1500", MIEN_SERVE_MAX_BODY="3000")) == 413, "the command line is not first"
    assert (state / "server.lock").exists()
    # Lists: those of the command line take the place of the file's.
    for arguments, names in [([], {"one": 200, "two": 200, "three": 421}),
                             (["--allowed-host", "three.example.org"], {"one": 421, "three": 200})]:
        with Server(*config, *arguments) as server:
            for name, expected in names.items():
                connection = http.client.HTTPConnection("127.0.0.1", server.port)
                connection.request("GET", "/v1/models", headers={"Host": f"{name}.example.org"})
                assert connection.getresponse().status == expected, (arguments, name)
    with Server("--port", "0", MIEN_SERVE_ALLOWED_HOST="four.example.org, five.example.org") as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/v1/models", headers={"Host": "five.example.org"})
        assert connection.getresponse().status == 200

    for file, status, message in [
        ("port: 0\nmax-bdoy: 5\n", 64, r"bad\.yaml, line 2: max-bdoy: .*did you mean max-body"),
        ("port: abc\n", 64, r"--port is set by \S*bad\.yaml, line 1: port"),
        ("port: 99999\n", 64, r"--port is set by \S*bad\.yaml, line 1: port"),
        ("\nhost: 0.0.0.0\n", 64, r"--host is set by \S*bad\.yaml, line 2: host"),
        ("tls-cert: a.pem\n", 64, r"--tls-cert is set by \S*bad\.yaml"),
        ("port: [1, 2]\n", 64, r"bad\.yaml, line 1: port: expected one value"),
        ("port: {a: 1}\n", 64, r"bad\.yaml, line 1: port: expected one value"),
        ("allowed-host: [{a: b}]\n", 64, r"line 1: allowed-host: expected a list of texts"),
        ("config: other.yaml\n", 64, r"line 1: config"),
        ("- port\n", 1, r"bad\.yaml: expected lines like"),
        ("port: 0\nport: 1\n", 1, r"bad\.yaml: is not valid YAML"),
        ("port: 'x\n", 1, r"bad\.yaml: is not valid YAML"),
    ]:
        found = refused(file=file)
        assert found[0] == status and re.search(message, found[1]), (file, found)
    found = refused(["--config", FOLDER / "none.yaml"])
    assert found[0] == 1 and "none.yaml: no such file" in found[1], found
    found = refused(MIEN_SERVE_PROT="1")
    assert found[0] == 64 and "MIEN_SERVE_PROT" in found[1] and "MIEN_SERVE_PORT" in found[1], found
    found = refused(MIEN_SERVE_MAX_BODY="many")
    assert found[0] == 64 and "--max-body is set by MIEN_SERVE_MAX_BODY" in found[1], found
    # A file that is empty, and a variable that is, say nothing.
    (FOLDER / "empty.yaml").write_text("# nothing\n")
    with Server("--config", FOLDER / "empty.yaml", "--port", "0", MIEN_SERVE_MAX_BODY=""):
        pass
    print("options: the command line, then the environment, then the file; errors name their place")


def hang_up():
    tokens, log = FOLDER / "tokens", FOLDER / "serve.log"
    tokens.write_text(TOKEN + "\n")
    with Server("--port", "0", "--token-file", tokens, "--log-file", log, log=log) as server:
        assert server.ask("GET", "/v1/models", token=TOKEN)[0] == 200
        assert server.ask("GET", "/v1/models", token=OTHER)[0] == 401
        tokens.write_text(f"# new\n{OTHER}\n")
        log.rename(FOLDER / "serve.log.1")
        server.process.send_signal(signal.SIGHUP)
        server.wait(r'"message":"reloaded"', log)
        assert server.ask("GET", "/v1/models", token=TOKEN)[0] == 401
        assert server.ask("GET", "/v1/models", token=OTHER)[0] == 200
        assert "reloaded" not in (FOLDER / "serve.log.1").read_text()
        server.wait(r'"route":"/v1/models","status":200', log)
        # What cannot be read changes nothing.
        tokens.write_text("short\n")
        server.process.send_signal(signal.SIGHUP)
        server.wait(r'could not be reloaded', log)
        assert server.ask("GET", "/v1/models", token=OTHER)[0] == 200
        server.stop()
    print("SIGHUP: tokens are read again, the log is opened anew")


def metrics():
    try:
        from prometheus_client.parser import text_string_to_metric_families
    except ImportError:
        print("metrics: not read, needs prometheus-client (scripts/test-operations.sh installs it)")
        return
    with Server("--port", "0") as server:
        for _ in range(3):
            assert server.ask("POST", "/v1/detect", PHOTO.read_bytes())[0] == 200
        server.ask("GET", "/nothing")
        status, text = server.ask("GET", "/metrics")
    assert status == 200
    families = {family.name: family for family in text_string_to_metric_families(text.decode())}
    assert all(family.documentation and family.type != "unknown" for family in families.values()), families
    assert {"mien_requests", "mien_request_seconds", "mien_stage_seconds", "mien_pictures"} <= set(families), families
    for name, label in [("mien_request_seconds", "route"), ("mien_stage_seconds", "stage")]:
        family = families[name]
        assert family.type == "histogram"
        series = {}
        for sample in family.samples:
            series.setdefault(sample.labels[label], []).append(sample)
        for value, samples in series.items():
            buckets = [(float(s.labels["le"]), s.value) for s in samples if s.name == name + "_bucket"]
            counts = [count for _, count in sorted(buckets)]
            total = [s.value for s in samples if s.name == name + "_count"]
            assert sorted(buckets)[-1][0] == float("inf") and counts == sorted(counts), (value, buckets)
            assert [counts[-1]] == total, (value, total)
    stages = {
        s.labels["stage"]: s.value for s in families["mien_stage_seconds"].samples if s.name == "mien_stage_seconds_count"}
    assert stages == {"wait": 3, "decode": 3, "find": 3, "classify": 3}, stages
    print(f"metrics: Prometheus' parser reads {len(families)} families, with histograms by stage")


def without_home():
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        print("a user without a home: not tried, needs root and setpriv")
        return
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    if subprocess.run([*nobody, PROGRAM, "--version"], capture_output=True).returncode != 0:
        print("a user without a home: not tried, the program's libraries are in a folder that only root reads")
        return
    if subprocess.run([*nobody, "test", "-x", PROGRAM], stderr=subprocess.DEVNULL).returncode != 0:
        print("a user without a home: not tried, that user may not run the programs where they are")
        return
    for variables in ({"HOME": "/nonexistent"}, {"HOME": "/"}):
        with Server("--port", "0", wrapper=nobody, MIEN_CACHE="", **variables) as server:
            assert server.ask("POST", "/v1/detect", PHOTO.read_bytes())[0] == 200
            server.stop()
    print("a user without a home: photos are read")


try:
    options()
    hang_up()
    metrics()
    without_home()
finally:
    shutil.rmtree(FOLDER, ignore_errors=True)
