#!/usr/bin/env python3
"""Runs the steps of the Containerfile's last stage without a container engine, in a root that debootstrap makes, and then
the image's command as its user: on a root that may only be read, without a home, until the health check passes.

Tests/Operations/image.py PROGRAMS

The stage before is what scripts/install.sh made of PROGRAMS, or of INSTALLED, a folder that it installed into. Needs root,
debootstrap and a Debian mirror (MIRROR, http://deb.debian.org/debian).
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parents[2]
PHOTO = HERE / ".native/samples/astronaut.png"
MIRROR = os.environ.get("MIRROR", "http://deb.debian.org/debian")
SEARCH = os.environ["PATH"] + ":/usr/sbin:/sbin"


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def last_stage():
    """The instructions of the last stage, each a word and its arguments."""
    text = re.sub(r"^#.*\n", "", (HERE / "Containerfile").read_text(), flags=re.M)
    text = text.replace("\\\n", " ")
    instructions = [line.split(None, 1) for line in text.splitlines() if line.strip()]
    start = max(index for index, (word, _) in enumerate(instructions) if word == "FROM")
    return instructions[start:]


def main():
    if os.geteuid() != 0:
        skip("needs root, for debootstrap and chroot")
    if not shutil.which("debootstrap", path=SEARCH):
        skip("needs debootstrap (apt-get install debootstrap)")
    if not PHOTO.exists():
        skip("needs the sample photo (make setup)")
    programs = pathlib.Path(sys.argv[1]).resolve()
    instructions = last_stage()
    base = instructions[0][1].rsplit(":", 1)[1].split("-")[0]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mien-image."))
    root = folder / "root"
    # What mounts is in a name space of its own, and goes with it.
    inside = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-euc"]
    environment, user, command, health = {}, "0:0", None, None
    server = None
    try:
        # The packages are kept, so that a second run costs no download.
        cache = pathlib.Path(os.environ.get("MIEN_CACHE", pathlib.Path.home() / ".cache/mien")) / "debootstrap"
        cache.mkdir(parents=True, exist_ok=True)
        made = subprocess.run(
            [shutil.which("debootstrap", path=SEARCH), "--variant=minbase", f"--cache-dir={cache}", base, root, MIRROR],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if made.returncode != 0:
            if "Failed getting release file" in made.stdout:
                skip(f"needs a Debian mirror; {MIRROR} is out of reach")
            sys.exit(made.stdout[-2000:])
        print(f"a root of {base}")
        (root / "etc/resolv.conf").write_text(pathlib.Path("/etc/resolv.conf").read_text())

        stage = pathlib.Path(os.environ.get("INSTALLED") or folder / "build/opt/mien")
        if not stage.exists():
            subprocess.run(
                [HERE / "scripts/install.sh", "/opt/mien", "recognition", "serving"], check=True,
                env={**os.environ, "BUILT": str(programs), "DESTDIR": str(folder / "build")}, stdout=subprocess.DEVNULL)
        for word, rest in instructions[1:]:
            if word == "COPY":
                source, target = re.fullmatch(r"--from=build (\S+) (\S+)", rest).groups()
                shutil.copytree(stage, root / target.lstrip("/"), symlinks=True)
            elif word == "RUN":
                print(f"RUN {rest[:60]}…")
                script = (
                    'mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"; '
                    'exec chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive '
                    '/bin/sh -euc "$2"'
                )
                step = subprocess.run(
                    inside + [script, "bash", root, rest], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                if step.returncode != 0:
                    sys.exit(f"the step failed with {step.returncode}: {rest}\n{step.stdout[-3000:]}")
            elif word == "ENV":
                environment.update(pair.split("=", 1) for pair in shlex.split(rest))
            elif word == "USER":
                user = rest
            elif word == "CMD":
                command = json.loads(rest)
            elif word == "HEALTHCHECK":
                health = json.loads(rest[rest.index("CMD ") + 4:])
            else:
                assert word in ("VOLUME", "EXPOSE", "STOPSIGNAL"), f"an instruction that this test does not know: {word}"
        assert user.split(":")[0] != "0", "the image runs as root"
        assert command and health

        # Programs that were built for development find Swift's libraries where the toolchain is.
        toolchain = pathlib.Path("/opt/swift/usr/lib/swift/linux")
        needed = subprocess.run(
            ["readelf", "-d", root / "opt/mien/bin/mien"], capture_output=True, text=True, check=True).stdout
        if "libswiftCore.so" in needed:
            print("these programs are not static; they are lent the toolchain's libraries")
            library_path = os.environ.get("SWIFT_LIBRARIES", str(toolchain))
            shutil.copytree(library_path, root / "swift", symlinks=True)
            environment["LD_LIBRARY_PATH"] = "/swift"
        shutil.copy(PHOTO, root / "photo.png")
        # `--read-only`, with the volumes and /tmp writable.
        script = (
            'root=$1; user=$2; shift 2; '
            'mount --bind "$root" "$root"; mount -o remount,bind,ro "$root"; '
            'for dir in state cache tmp; do mount -t tmpfs -o mode=1777 tmpfs "$root/$dir"; done; '
            'mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; '
            'exec chroot --userspec="$user" "$root" /usr/bin/env -i "$@"'
        )
        variables = [f"{key}={value}" for key, value in environment.items()]

        def run(arguments, **options):
            return subprocess.run(inside + [script, "bash", root, user] + variables + arguments, **options)

        read = run(["mien", "detect", "/photo.png", "--json", "-"], capture_output=True, text=True)
        assert read.returncode == 0, read.stderr
        assert json.loads(read.stdout)[0]["faces"][0]["emotion"] == "happiness", read.stdout
        denied = run(["/bin/sh", "-c", "touch /opt/mien/x /etc/x 2>/dev/null || touch ~/x"], capture_output=True, text=True)
        assert denied.returncode != 0, "the root may be written to"

        # Another port than 8080, on which this machine may have a server; the health check follows it.
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            variables.append(f"MIEN_SERVE_PORT={free.getsockname()[1]}")
        log = open(folder / "log", "w+")
        server = subprocess.Popen(
            inside + [script, "bash", root, user] + variables + command,
            stderr=log, stdout=log, start_new_session=True)
        pid = None
        for _ in range(600):
            if server.poll() is not None:
                sys.exit("the server ended: " + (folder / "log").read_text())
            if "listening" in (folder / "log").read_text():
                break
            time.sleep(0.1)
        # The command's process, by which its name spaces are entered.
        child = server.pid
        for _ in range(5):
            children = pathlib.Path(f"/proc/{child}/task/{child}/children").read_text().split()
            if not children:
                break
            child = int(children[0])
        pid = child
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        assert re.search(r"^Uid:\s+10001\s+10001", status, re.M), "the server runs as another user"
        checked = run(health)
        assert checked.returncode == 0, "the health check fails"
        os.kill(pid, signal.SIGTERM)
        assert server.wait(60) == 0, (folder / "log").read_text()
        broken = run(health, stderr=subprocess.DEVNULL)
        assert broken.returncode != 0, "the health check passes without a server"
        print(f"image: user {user}, a read-only root, no home: photos are read, the server is healthy and stops")
    finally:
        if server and server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


main()
