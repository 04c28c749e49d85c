"""A web server and a network camera for tests, on this machine alone.

    media_server.py FOLDER USER PASSWORD

Prints two ports, then serves until its standard input ends:
- HTTP: the files of FOLDER, without byte ranges; /secret/NAME for USER and PASSWORD alone; /camera.mjpg, the JPEG pictures
  of FOLDER one after another as webcams send them, without an end.
- RTSP: FOLDER/clip.ts to USER and PASSWORD, over TCP, as MPEG-TS in RTP (RFC 2326, RFC 2250), until it ends.
"""

import base64
import http.server
import socketserver
import struct
import sys
import threading
import time
from pathlib import Path

FOLDER, USER, PASSWORD = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
CREDENTIALS = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


class Web(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_GET(self):
        path = self.path.split("?")[0].lstrip("/")
        if path == "camera.mjpg":
            return self.stream()
        if path.startswith("secret/"):
            if self.headers.get("Authorization") != CREDENTIALS:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="test"')
                self.end_headers()
                return
            path = path.removeprefix("secret/")
        file = FOLDER / path
        if "/" in path or not file.is_file():
            return self.send_error(404)
        data = file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def stream(self):
        pictures = [file.read_bytes() for file in sorted(FOLDER.glob("*.jpg"))]
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=part")
        self.end_headers()
        try:
            while True:
                for picture in pictures:
                    head = f"--part\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                    self.wfile.write(head.encode() + picture + b"\r\n")
                    time.sleep(0.1)
        except OSError:
            pass


class Camera(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            while self.answer():
                pass
        except OSError:
            pass

    def answer(self):
        request, headers = self.rfile.readline().decode().split(), {}
        if len(request) < 2:
            return False
        while line := self.rfile.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        method, extra, body = request[0], [], b""
        if method == "OPTIONS":
            extra = ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"]
        elif headers.get("authorization") != CREDENTIALS:
            return self.reply(headers, "401 Unauthorized", ['WWW-Authenticate: Basic realm="test"'])
        elif method == "DESCRIBE":
            body = (b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\n"
                    b"m=video 0 RTP/AVP 33\r\nc=IN IP4 0.0.0.0\r\na=control:track1\r\n")
            extra = ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        elif method == "SETUP":
            extra = ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1"]
        elif method == "PLAY":
            self.reply(headers, "200 OK", ["Session: 1"])
            self.play()
            return False
        return self.reply(headers, "200 OK", extra, body)

    def reply(self, headers, status, extra, body=b""):
        lines = [f"RTSP/1.0 {status}", f"CSeq: {headers.get('cseq', '0')}"] + extra
        self.wfile.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return True

    def play(self):
        data, size = (FOLDER / "clip.ts").read_bytes(), 7 * 188
        for number, start in enumerate(range(0, len(data), size)):
            part = data[start:start + size]
            packet = struct.pack(">BBHII", 0x80, 33, number & 0xFFFF, number * 900, 1) + part
            self.wfile.write(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
            time.sleep(0.001)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


web, camera = Server(("127.0.0.1", 0), Web), Server(("127.0.0.1", 0), Camera)
for server in (web, camera):
    threading.Thread(target=server.serve_forever, daemon=True).start()
print(web.server_address[1], camera.server_address[1], flush=True)
sys.stdin.read()
