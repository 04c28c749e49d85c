"""Checks of the camera and of videos."""

import csv
import io
import json
import os

from support import Base, Server, expect


class LiveChecks(Base):
    """Checks of the camera and of videos."""

    def camera_readings(self, page):
        """The camera: readings come, with a track, a timeline and files."""
        page.click("#welcome [data-open=camera]")
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.wait("/[0-9] readings.s · [0-9]+ ms/.test(document.getElementById('readout').innerText)", "the speed")
        label = page.wait("document.getElementById('timeline').getAttribute('aria-valuetext').includes('%') && "
                          "document.getElementById('timeline').getAttribute('aria-valuetext')", "the timeline")
        expect("happiness" in label, f"the timeline says {label!r}")
        page.wait(lambda: sum("/frames" in url for url in page.requests()) > 5, "further frames")
        page.click(".switch label:nth-of-type(2)")
        page.run("window.stream = document.getElementById('video').srcObject")
        page.click("#play")
        page.wait("document.getElementById('play').innerText === 'Resume'", "the pause")
        expect(page.run("window.stream.getTracks().every(({ readyState }) => readyState === 'ended')"),
               "the paused camera's light is on")
        self.settle(page)
        page.click("#save-json")
        rows = [json.loads(line) for line in page.downloaded("camera.jsonl").splitlines()]
        seen = [row for row in rows if row["track"] is not None]
        expect(len(seen) >= 3 and all(row["smoothed"]["happiness"] > 0.5 for row in seen), f"the readings: {seen}")
        expect([row["seconds"] for row in rows] == sorted(row["seconds"] for row in rows), "the order of time")
        expect(rows[-1]["frame"] > rows[0]["frame"] >= 0, "the numbers of frames")
        page.click("#save-csv")
        lines = list(csv.reader(io.StringIO(page.downloaded("camera.csv").decode())))
        expect(len(lines) == len(rows) + 1 and all(len(line) == len(lines[0]) for line in lines), "the rows of the CSV")
        count = len(rows)
        page.click("#play")
        page.wait("document.getElementById('play').innerText === 'Pause'", "the camera to go on")
        frames = len({event["requestId"] for event in page.all("Network.requestWillBeSent")
                      if "/frames" in event["request"]["url"]})
        page.wait(lambda: sum("/frames" in url for url in page.requests()) > frames + 3, "readings after the pause")
        # Stopping keeps what was read; only closing discards it, and asks.
        page.click("#close-source")
        page.wait("document.getElementById('close-source').innerText === 'Close'", "the end of the recording")
        self.settle(page)
        os.remove(os.path.join(page.downloads, "camera.jsonl"))
        page.click("#close-source")
        page.wait("document.getElementById('discard-dialog').open", "the question")
        page.click("#discard-dialog [data-cancel]")
        page.click("#save-json")
        expect(len(page.downloaded("camera.jsonl").splitlines()) > count, "the recording after it was stopped")
        page.click("#close-source")
        page.wait("!document.getElementById('welcome').hidden", "the first screen, without a question for what is saved")
        page.wait(lambda: any(event["request"]["method"] == "DELETE" for event in page.all("Network.requestWillBeSent")),
                  "the session to be given up")

    def at_most_two_frames(self, page):
        """Never more than two frames are under way, however slow the server is."""
        page.run("""(() => {
          window.most = 0;
          let underWay = 0;
          const plain = window.fetch;
          window.fetch = async (path, options) => {
            if (!String(path).includes('/frames')) return plain(path, options);
            underWay += 1;
            window.most = Math.max(window.most, underWay);
            await new Promise((resolve) => setTimeout(resolve, 300));
            try { return await plain(path, options); } finally { underWay -= 1; }
          };
        })()""")
        page.click("#welcome [data-open=camera]")
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.run("new Promise((resolve) => setTimeout(resolve, 1500))")
        expect(page.run("window.most") == 2, f"{page.run('window.most')} frames were under way")

    def the_list_follows_the_picture(self, page):
        """Of two readings at once the list shows the last, too, though no further one comes."""
        page.click("#welcome [data-open=camera]")
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.run("""(() => {
          const plain = window.fetch;
          const held = [];
          window.fetch = async (path, options) => {
            if (!String(path).includes('/frames')) return plain(path, options);
            if (held.length === 2) return new Promise(() => {});
            const answer = await (await plain(path, options)).json();
            return new Promise((resolve) => {
              held.push(resolve);
              if (held.length < 2) return;
              held.forEach((one, index) => {
                const scores = { happiness: index === 0 ? 0.83 : 0.61, neutral: index === 0 ? 0.17 : 0.39 };
                const faces = [{ ...answer.faces[0], emotion: 'happiness', smoothed: scores, scores }];
                one(new Response(JSON.stringify({ ...answer, faces }), { status: 200 }));
              });
            });
          };
        })()""")
        page.wait("document.querySelector('.face-detail').innerText.startsWith('61')", "the last reading in the list")

    def why_on_a_running_camera(self, page):
        """*Why?* has the very frame that the list shows, however fast the camera runs."""
        page.click("#welcome [data-open=camera]")
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        for count in range(20):
            page.wait("document.querySelector('.selected .explanation .quiet')?.innerText === 'Why?'", "the button")
            page.click(".selected .explanation .quiet")
            # A slow server may give the face another number meanwhile: what was asked for stays.
            shown = "[...document.querySelectorAll('.explanation figure')].find((one) => !one.hidden)"
            page.wait(f"!!{shown} || [...document.querySelectorAll('.explanation .error')].some((one) => one.innerText)", "an answer")
            problem = page.run("[...document.querySelectorAll('.explanation .error')].map((one) => one.innerText).join('')")
            expect(not problem, f"the {count + 1}. time the page says {problem!r}")
            page.run(f"{shown}.closest('.explanation').querySelector('button').click()")
        # The camera's picture is shown mirrored, and so is the map.
        page.run("""(() => {
          const plain = window.fetch;
          window.fetch = async (path, options) => {
            const response = await plain(path, options);
            if (!String(path).includes('/explain')) return response;
            const map = { width: 3, height: 3, values: [0, 0, 0, 1, 0, 0, 0, 0, 0] };
            return new Response(JSON.stringify({ ...await response.json(), map }), { status: 200 });
          };
        })()""")
        page.click(".selected .explanation .quiet")
        page.wait(f"!!{shown}", "a map")
        sides = page.run(f"""(() => {{
          const canvas = {shown}.querySelector('canvas');
          const {{ data }} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          const sides = [0, 0];
          for (let place = 0; place < data.length; place += 4) {{
            sides[Math.floor((2 * ((place / 4) % canvas.width)) / canvas.width)] += data[place] - data[place + 2];
          }}
          return sides;
        }})()""")
        expect(sides[1] > 10 * sides[0], f"the map is not mirrored: {sides}")
        expect("the right of the face’s picture supports" in page.run(f"{shown}.getAttribute('aria-label')"), "the words are not")
        page.run(f"{shown}.closest('.explanation').querySelector('button').click()")
        page.click(".correction .quiet")
        page.wait("document.querySelector('.correction-form')", "the form")
        # The form outlives the face.
        page.run("document.querySelector('.correction-form select').value = 'fear'")
        page.run("""(() => {
          const plain = window.fetch;
          window.fetch = async (path, options) => {
            const response = await plain(path, options);
            if (!String(path).includes('/frames')) return response;
            return new Response(JSON.stringify({ ...await response.json(), faces: [] }), { status: 200 });
          };
        })()""")
        page.wait("document.querySelector('.face.gone .face-detail')?.innerText === 'no longer in view'", "the face to go")
        expect(page.run("document.querySelector('.correction-form select').value") == "fear", "the form is lost")
        page.click(".correction-form .choices button")
        page.wait("document.querySelectorAll('.face').length === 0", "the card to go once the form is closed")

    def stale(self, page):
        """When the server goes away the last reading is dimmed; *Try now* asks again at once."""
        page.expected += ["ERR_INTERNET_DISCONNECTED"]
        network = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        page.click("#welcome [data-open=camera]")
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        expect(not page.run("document.getElementById('work').classList.contains('stale')"), "a live reading is dimmed")
        page.call("Network.emulateNetworkConditions", offline=True, **network)
        page.wait("document.getElementById('work').classList.contains('stale')", "the reading to be dimmed")
        page.wait("document.getElementById('stage-message').innerText.startsWith('No reading for')", "the words")
        page.wait("document.getElementById('notice').innerText.includes('does not answer')", "the notice")
        expect(page.text("#notice-action") == "Try now", f"the notice says {page.text('#notice')!r}")
        page.call("Network.emulateNetworkConditions", offline=False, **network)
        page.run("document.getElementById('notice-action').click()")
        page.wait("!document.getElementById('work').classList.contains('stale')", "a new reading")
        page.wait("document.getElementById('notice').hidden", "the notice to go")

    def withdrawn_token(self, page):
        """A token that is withdrawn while the camera runs: without another, the camera is switched off until it is resumed."""
        page.expected += ["401"]
        page.run("""(() => {
          const plain = window.fetch;
          window.isWithdrawn = false;
          window.fetch = async (path, options) => {
            if (!window.isWithdrawn || !String(path).startsWith('/v1/')) return plain(path, options);
            return new Response('{"error": {"code": "unauthorized", "message": "A valid token is needed."}}', { status: 401 });
          };
        })()""")
        page.click("#welcome [data-open=camera]")
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.run("window.stream = document.getElementById('video').srcObject")
        page.run("window.isWithdrawn = true")
        page.wait("document.getElementById('token-dialog').open", "the question for a token")
        page.key("Escape")
        page.wait("document.getElementById('notice').innerText.includes('needs an access token')", "the words")
        expect(page.run("window.stream.getTracks().every(({ readyState }) => readyState === 'ended')"), "the camera's light is on")
        expect(page.text("#play") == "Resume" and page.text("#notice-action") == "Resume",
               f"the buttons: {page.text('#play')!r}, {page.text('#notice-action')!r}")
        sent = sum("/frames" in url for url in page.requests())
        page.run("window.isWithdrawn = false")
        page.click("#notice-action")
        page.wait("document.getElementById('play').innerText === 'Pause'", "the camera to go on")
        page.wait(lambda: sum("/frames" in url for url in page.requests()) > sent + 2, "further frames")
        page.click("#close-source")
        page.wait("document.getElementById('close-source').innerText === 'Close'", "the end of the recording")

    def restart(self, page):
        """A server that was started anew has forgotten the session: another is opened at once, without a word of “busy”."""
        program = os.path.join(os.path.dirname(self.program), "mien-server")
        state = ("--state-dir", os.path.join(self.folder, "restarted"))
        server = Server(program, *state)
        try:
            page.open(server.url)
            page.wait("document.getElementById('model').innerText.length > 5", "the page to start")
            page.click("#welcome [data-open=camera]")
            page.wait("document.querySelectorAll('.face').length === 1", "a face")
            page.run("""(() => {
              window.said = new Set();
              const text = document.getElementById('notice-text');
              new MutationObserver(() => window.said.add(text.textContent)).observe(text, { childList: true });
            })()""")
            server.close()
            page.wait("document.getElementById('work').classList.contains('stale')", "the reading to be dimmed")
            server = Server(program, "--port", server.url.rstrip("/").rsplit(":", 1)[1], *state)
            page.wait("document.getElementById('notice').hidden && !document.getElementById('work').classList.contains('stale')",
                      "readings of the new server")
            page.wait("document.querySelectorAll('.face').length === 1", "a face again")
            said = page.run("[...window.said]")
            expect(not any("busy" in words for words in said), f"the page said {said}")
            page.open(self.server.url)
        finally:
            server.close()
            # The other server is no stranger, and its absence no surprise.
            page.events.clear()

    def camera_refused(self, page):
        """A camera that is refused, or not there."""
        for name, words in (("NotAllowedError", "was refused"), ("NotFoundError", "No camera")):
            page.run("navigator.mediaDevices.getUserMedia = () => "
                     f"Promise.reject(new DOMException('', '{name}'))")
            page.click("#welcome [data-open=camera]")
            page.wait(f"document.getElementById('notice').innerText.includes({json.dumps(words)})", words)
            expect(page.run("document.activeElement.closest('#welcome') !== null"), "the focus is lost")
        # What is open stays where the camera does not come.
        page.drop(self.photo)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.click("#sources [data-open=camera]")
        page.wait("document.getElementById('notice').innerText.includes('No camera')", "the words")
        expect(page.run("document.querySelectorAll('.face').length") == 1, "the photo is gone")

    def video(self, page):
        """A video: read while it plays, shown again from what was read."""
        self.play_clip(page)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        order = page.run("[...document.querySelectorAll('.bar-name')].map((name) => name.textContent)")
        expect(order == ["happiness", "surprise", "neutral", "sadness", "fear", "anger", "disgust", "contempt"],
               f"the bars of a video are not in their fixed order: {order}")
        page.wait("document.getElementById('play').innerText === 'Play again'", "the end")
        self.settle(page)
        sent = sum("/frames" in url for url in page.requests())
        expect(sent >= 3, f"{sent} frames were read")
        page.run("document.getElementById('timeline').focus()")
        page.key("Home")
        page.wait("document.getElementById('video').currentTime === 0", "the start")
        for _ in range(2):
            page.key("ArrowRight")
        page.wait("document.querySelectorAll('.face').length === 1", "the face that was read before")
        expect(sum("/frames" in url for url in page.requests()) == sent, "what was read is read again")
        page.wait("!document.getElementById('video').seeking", "the frame")
        drawn = "new Promise((resolve) => setTimeout(() => resolve(document.getElementById('overlay').toDataURL()), 500))"
        page.wait(lambda: page.run(drawn) == page.run(drawn), "the picture to stand still")
        before = page.run(drawn)
        page.run("document.getElementById('video').dispatchEvent(new Event('pause'))")
        expect(page.run(drawn) == before, "a pause shows the faces of another frame")

    def jump(self, page):
        """What a jump left out is “not read”, not “no face”, and is read when it is played."""
        self.play_clip(page)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        video = "document.getElementById('video')"
        page.run(f"{video}.pause()")
        start = page.run(f"{video}.currentTime")
        page.run(f"{video}.currentTime = 2.2")
        page.wait("document.getElementById('stage-message').innerText.startsWith('Not read')", "“not read”")
        page.run("document.getElementById('timeline').focus()")
        page.wait("document.getElementById('timeline').getAttribute('aria-valuetext').includes('not read')", "the timeline")
        page.click("#play")
        page.wait("document.getElementById('play').innerText === 'Play again'", "the end")
        self.settle(page)
        middle = (max(start, 0.2) + 2.2) / 2
        page.run(f"{video}.currentTime = {middle}")
        page.wait("document.getElementById('stage-message').innerText.startsWith('Not read')", "“not read” in between")
        sent = sum("/frames" in url for url in page.requests())
        page.click("#play")
        page.wait(lambda: sum("/frames" in url for url in page.requests()) > sent, "what was jumped over to be read")
        page.wait("document.querySelectorAll('.face').length === 1 && document.getElementById('stage-message').hidden", "a face")

    def face_that_goes(self, page):
        """At the end of a video, and after a jump, the list has the faces of the frame that is shown, and no others."""
        self.play_clip(page, faces=36)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.wait("document.getElementById('play').innerText === 'Play again'", "the end")
        self.settle(page)
        page.run("document.getElementById('timeline').focus()")
        for place in ("the end", "the end after a jump", "the end after another jump"):
            page.wait("document.querySelectorAll('.face').length === 0", f"no face at {place}", 5)
            words = [page.text("#faces-empty"), page.text("#stage-message"), page.text("#faces-count")]
            expect(words == ["No face found.", "No face found", ""], f"at {place} the page says {words}")
            page.key("Home")
            page.wait("document.querySelectorAll('.face').length === 1", "the face at the start")
            page.key("End")
            page.wait("!document.getElementById('video').seeking", "the jump")
        # While it plays, a jump does not wait either.
        page.key("Home")
        page.wait("document.querySelectorAll('.face').length === 1", "the face at the start")
        page.run("""(() => {
          window.counts = [];
          const look = () => {
            const { currentTime, ended } = document.getElementById('video');
            if (currentTime > 2.5 && !ended) window.counts.push(document.querySelectorAll('.face').length);
            requestAnimationFrame(look);
          };
          document.getElementById('video').addEventListener('seeked', look, { once: true });
        })()""")
        page.run("document.getElementById('video').play()")
        page.run("document.getElementById('video').currentTime = 2.6")
        page.wait("window.counts.length > 5", "frames after the jump")
        expect(page.run("window.counts.slice(3).every((count) => count === 0)"), f"faces after it: {page.run('window.counts')}")

    def frame_of_a_pause(self, page):
        """The frame that a pause leaves on the screen is read, also by a server that is too slow for most frames."""
        page.run("""(() => {
          const plain = window.fetch;
          window.times = [];
          window.fetch = async (path, options) => {
            const seconds = /frames.seconds=([0-9.]+)/.exec(path)?.[1];
            if (!seconds) return plain(path, options);
            window.times.push(Number(seconds));
            await new Promise((resolve) => setTimeout(resolve, 700));
            return plain(path, options);
          };
          HTMLVideoElement.prototype.requestVideoFrameCallback = ((plain) => function (run) {
            return plain.call(this, (now, metadata) => { window.shown = metadata.mediaTime; run(now, metadata); });
          })(HTMLVideoElement.prototype.requestVideoFrameCallback);
        })()""")
        self.play_clip(page)
        page.wait("window.times.length >= 3", "three frames")
        page.wait("window.shown > Math.max(...window.times) + 0.1 && !document.getElementById('video').ended && "
                  "(document.getElementById('video').pause(), true)", "a frame that was not sent")
        page.wait("Math.abs(Math.max(...window.times) - window.shown) < 0.002", "the frame of the pause to be sent")
        self.settle(page)
        page.wait("document.querySelectorAll('.face').length === 1", "its face")
        expect(page.text("#stage-message") == "", f"the page says {page.text('#stage-message')!r}")
        page.click(".correction .quiet")
        page.wait("document.querySelector('.correction-form')", "the form")
        expect(abs(page.run("document.getElementById('video').currentTime - window.shown")) < 0.1, "the form is of another frame")

    def back_and_forward(self, page):
        """A page that the browser brings back with its camera is paused, without a word, and goes on when it is asked to."""
        page.click("#welcome [data-open=camera]")
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.run("window.isKept = true")
        page.call("Page.navigate", url=self.server.url + "healthz")
        page.wait("location.pathname === '/healthz'", "another page")
        page.run("history.back()")
        page.wait("location.pathname === '/' && document.readyState === 'complete'", "the page to come back")
        expect(page.run("window.isKept === true"), "the browser has loaded the page anew: it keeps none")
        page.run("new Promise((resolve) => setTimeout(resolve, 1500))")
        expect(page.run("document.getElementById('notice').hidden"), f"the page says {page.text('#notice')!r}")
        expect(page.text("#play") == "Resume", f"the camera is not paused: {page.text('#play')!r}")
        expect(page.run("document.querySelectorAll('.face').length") == 1, "the last reading is gone")
        page.events.clear()
        page.click("#play")
        page.wait("document.getElementById('play').innerText === 'Pause'", "the camera to go on")
        page.wait(lambda: sum("/frames" in url for url in page.requests()) > 3, "readings after it")
        expect(page.run("document.getElementById('notice').hidden"), f"the page says {page.text('#notice')!r}")

    def sound_only(self, page):
        """A video without a picture that the browser knows is told as such, and offered to the server."""
        page.expected += ["422", "415"]
        self.play_sound(page)
        page.wait("document.getElementById('notice').innerText.includes('This browser cannot show this video')", "the words")
        expect(page.text("#notice-action") == "Send it to the server", f"the offer: {page.text('#notice')!r}")
        expect("Waiting" not in page.text("#faces-empty"), "a face is waited for")
        expect(not any("/v1/video" in url for url in page.requests()), "it was sent without a question")
        page.click("#notice-action")
        page.wait("document.getElementById('notice').innerText.startsWith('IMG_4.mov: ')", "what the server says of it", 60)

    def left_while_it_is_read(self, page):
        """A video that is being read is given up when the page is left: nobody would fetch what is read."""
        self.wait_for_job(page)
        page.open(self.server.url)
        page.wait(lambda: not self.jobs(page), "the job to be taken back")

    def cancelled(self, page):
        """A video that is being sent can be taken back, and is read while it plays as before."""
        self.wait_for_job(page)
        expect(page.text("#read-all") == "Cancel", f"the button says {page.text('#read-all')!r}")
        page.run("new Promise((resolve) => setTimeout(resolve, 1500))")
        expect(not page.run("document.getElementById('work').classList.contains('stale')"), "the wait is taken for a server that is away")
        page.click("#read-all")
        page.wait("document.getElementById('notice').innerText.includes('stopped reading')", "the words")
        page.wait(lambda: any(event["request"]["method"] == "DELETE" and "/v1/video/" in event["request"]["url"]
                              for event in page.all("Network.requestWillBeSent")), "the job to be taken back")
        sent = sum("/frames" in url for url in page.requests())
        page.run("document.getElementById('video').currentTime = 2")
        page.run("document.getElementById('video').play()")
        page.wait(lambda: sum("/frames" in url for url in page.requests()) > sent, "frames to be read again")

    def rows_as_mien_writes_them(self, page):
        """A video that the server reads as a whole is saved byte for byte as `mien video` writes it; one that is read while it
        plays has the same columns, and frames by the same numbers and times."""
        name = os.path.basename(self.clip)
        whole = {kind: self.mien("video", self.clip, f"--{flag}", "-")
                 for kind, flag in (("jsonl", "json"), ("csv", "csv"))}
        lines = [line.split(",") for line in whole["csv"].decode().split("\r\n")[:-1]]
        page.drop(self.clip)
        page.wait("document.querySelectorAll('.face').length >= 1", "a face")
        page.wait(lambda: sum("/frames" in url for url in page.requests()) > 20, "further frames")
        page.run("document.getElementById('video').pause()")
        self.settle(page)
        page.click("#save-csv")
        stem = os.path.splitext(name)[0]
        played = [line.split(",") for line in page.downloaded(f"{stem}.csv").decode().split("\r\n")[:-1]]
        expect(played[0] == lines[0], f"the columns: {played[0]}")
        # Browsers cut times off after the microsecond.
        times = {line[0]: float(line[1]) for line in lines[1:]}
        strange = [line[:2] for line in played[1:] if abs(times.get(line[0], -1) - float(line[1])) > 3e-6]
        expect(len(played) > 5 and not strange, f"frames that mien does not know: {strange[:5]}")
        os.remove(os.path.join(page.downloads, f"{stem}.csv"))
        page.click("#read-all")
        page.wait("document.getElementById('read-all').hidden", "the whole video", 120)
        expect(page.run("document.getElementById('readout').innerText") == "", "it is read twice")
        for kind in whole:
            page.click(f"#save-{kind[:4].rstrip('l')}")
            saved = page.downloaded(f"{stem}.{kind}")
            differing = [pair for pair in zip(saved.splitlines(), whole[kind].splitlines()) if pair[0] != pair[1]]
            expect(saved == whole[kind], f"the page's {kind} of a video differs from mien's in {len(differing)} lines: {differing[:1]}")
        # Every moment has been read: none has to be again.
        sent = sum("/frames" in url for url in page.requests())
        page.run("document.getElementById('video').currentTime = 5")
        page.wait("document.querySelectorAll('.face').length >= 1", "the faces of another moment")
        page.click("#play")
        page.run("new Promise((resolve) => setTimeout(resolve, 1000))")
        expect(sum("/frames" in url for url in page.requests()) == sent, "what the server has read is read again")
        page.click(".explanation .quiet")
        page.wait("!document.querySelector('.explanation figure').hidden", "the map of a frame that is fetched once more")
