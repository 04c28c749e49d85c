"""Checks of who may use the page, and how: tokens, a busy server, keyboards, phones, colours."""

import json
import os

from chromium import Failure
from support import TOKEN, Base, blank, expect


class AccessChecks(Base):
    """Checks of who may use the page, and how: tokens, a busy server, keyboards, phones, colours."""

    def token(self, page):
        """A server that wants a token: asked for once, again where it is wrong, kept for the tab only."""
        page.expected += ["401"]
        page.open(self.guarded.url)
        page.wait("document.getElementById('token-dialog').open", "the question")
        expect(page.run("document.activeElement.id") == "token", "the focus is not on the field")
        page.type("not-the-token-it-wants")
        page.key("Enter")
        page.wait("document.getElementById('token-error').innerText.includes('not accept')", "the refusal")
        # No header takes such characters; an invisible one comes with what is pasted.
        page.type("t\u00f6ken-of-16-letters")
        page.run("document.getElementById('token-error').textContent = ''")
        page.key("Enter")
        page.wait("document.getElementById('token-error').innerText.includes('not accept')", "the second refusal")
        page.type(TOKEN + "\u200b")
        page.key("Enter")
        page.wait("document.getElementById('model').innerText.length > 5", "the model's name")
        expect(not page.run("document.getElementById('token-dialog').open"), "the question is still there")
        expect(page.run("Object.values(sessionStorage)") == [TOKEN], "the token is not in the tab's storage")
        expect(page.run("localStorage.length === 0 && document.cookie === ''"), "the token is kept elsewhere")
        expect(not page.run("document.getElementById('forget-token').hidden"), "a token that was asked for twice cannot be forgotten")
        page.drop(self.photo)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.open(self.guarded.url)
        page.wait("document.getElementById('model').innerText.length > 5", "the model's name again")
        page.click("#forget-token")
        page.wait("document.getElementById('token-dialog')?.open", "the question after the token was forgotten")

    def busy(self, page):
        """A busy server is left alone for as long as it asks, and tried again."""
        page.expected += ["429"]
        page.run("""(() => {
          const plain = window.fetch;
          window.times = [];
          window.fetch = (path, options) => {
            if (!String(path).includes('/v1/detect') || window.times.push(performance.now()) > 1) return plain(path, options);
            const headers = { 'Retry-After': '5' };
            return Promise.resolve(new Response('{"error": {"message": "busy"}}', { status: 429, headers }));
          };
        })()""")
        page.drop(self.photo)
        page.wait("document.getElementById('notice').innerText.includes('busy')", "the words for a busy server")
        page.wait("document.querySelectorAll('.face').length === 1", "a face after all")
        expect(page.run("window.times[1] - window.times[0]") >= 4990, "it was tried again too early")
        expect(page.run("document.getElementById('notice').hidden"), "the notice stays")

    def away(self, page):
        """A server that does not answer."""
        page.expected += ["ERR_INTERNET_DISCONNECTED"]
        network = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        page.call("Network.emulateNetworkConditions", offline=True, **network)
        page.drop(self.photo)
        page.wait("document.getElementById('notice').innerText.includes('does not answer')", "the words for it")
        page.call("Network.emulateNetworkConditions", offline=False, **network)
        page.wait("document.querySelectorAll('.face').length === 1", "a face after all")

    def keyboard(self, page):
        """All of it by the keyboard alone, with a name for all that has the focus."""
        def tab_to(selector):
            for _ in range(40):
                page.key("Tab")
                if page.run(f"document.activeElement.matches({json.dumps(selector)})"):
                    return
            raise Failure(f"Tab does not lead to {selector}")

        tab_to("#welcome [data-open=photos]")
        page.key("Enter")
        page.choose_files(1, self.photo)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        tab_to(".face-head")
        expect(page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid", "the focus is not seen")
        tab_to("#save-csv")
        page.key("Enter")
        page.downloaded(f"{os.path.splitext(os.path.basename(self.photo))[0]}.csv")
        nodes = page.call("Accessibility.getFullAXTree")["nodes"]
        for node in nodes:
            focusable = any(one["name"] == "focusable" and one["value"]["value"] for one in node.get("properties", []))
            if focusable and node["role"]["value"] not in ("RootWebArea", "generic", "main"):
                expect(node.get("name", {}).get("value"), f"without a name: {node['role']['value']}")

    def phone(self, page):
        """On a phone nothing is cut off, and what is touched is large enough."""
        page.viewport(390, 844, 2, True)
        try:
            page.open(self.server.url)
            for step in range(2):
                if step == 1:
                    page.drop(self.photo)
                    page.wait("document.querySelectorAll('.face').length === 1", "a face")
                expect(page.run("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the phone")
                small = page.run("[...document.querySelectorAll('button, select')].filter((one) => one.offsetParent && "
                                 "one.getBoundingClientRect().height < 38).map((one) => one.innerText)")
                expect(small == [], f"too small to touch: {small}")
            page.click(".more-bars")
            covered = page.run("""[...document.querySelectorAll('.panel button:not(:disabled), .panel summary')]
              .filter((one) => one.checkVisibility()).filter((one) => {
                scrollTo(0, 0);
                one.focus();
                const { left, top, width, height } = one.getBoundingClientRect();
                return document.elementFromPoint(left + width / 2, top + height / 2)?.closest('button, summary') !== one;
              }).map((one) => one.innerText)""")
            expect(covered == [], f"covered though they have the focus: {covered}")
            # A small one.
            page.viewport(320, 640, 2, True)
            page.run("scrollTo(0, 0)")
            expect(page.run("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the small phone")
            covered = page.run("""(() => {
              const { top, bottom } = document.querySelector('.export-card').getBoundingClientRect();
              const boxes = [...document.querySelectorAll('.bar')].map((bar) => bar.getBoundingClientRect());
              return boxes.filter((box) => box.bottom > top && box.top < bottom).length;
            })()""")
            expect(covered == 0, f"the card for saving lies over {covered} bars")
        finally:
            page.call("Emulation.clearDeviceMetricsOverride")

    def fingers(self, page):
        """On a phone nothing is said of dropping and pasting, and a photo can be taken."""
        page.viewport(390, 844, 2, True)
        page.touch(True)
        try:
            page.open(self.server.url)
            page.wait("document.getElementById('model').innerText.length > 5", "the page to start")
            words = page.text("#welcome")
            expect("Take a photo" in words and "paste" not in words, f"a phone is told {words!r}")
        finally:
            page.touch(False)
            page.call("Emulation.clearDeviceMetricsOverride")
        expect("paste" in page.text("#welcome") and "Take a photo" not in page.text("#welcome"), "a mouse is told otherwise")

    # Each of these brings the page into a state, for `accessible`.

    def _photo_state(self, page):
        page.drop(self.photo, blank(os.path.join(self.folder, "blank.png")))
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.click(".details summary")
        page.click(".more-bars")
        page.click(".explanation .quiet")
        page.wait("!document.querySelector('.explanation figure').hidden", "the map")
        page.click(".correction .quiet")
        page.wait("document.querySelector('.correction-form')", "the form")
        page.click("#zoom-in")

    def _failed_state(self, page):
        path = os.path.join(self.folder, "broken.jpg")
        with open(path, "wb") as file:
            file.write(b"\xff\xd8\xff nothing more")
        page.expected += ["422"]
        page.drop(path)
        page.wait("document.getElementById('faces-empty').innerText.length > 10", "words on the broken file")

    def _camera_state(self, page):
        page.click("#welcome [data-open=camera]")
        page.wait("document.querySelectorAll('.face').length === 1", "a face")

    def _paused_state(self, page):
        self._camera_state(page)
        page.click("#play")
        page.wait("document.getElementById('play').innerText === 'Resume'", "the pause")
        self.settle(page)

    def _discard_state(self, page):
        self._paused_state(page)
        page.click("#close-source")
        page.click("#close-source")
        page.wait("document.getElementById('discard-dialog').open", "the question")

    def _stale_state(self, page):
        page.expected += ["ERR_INTERNET_DISCONNECTED"]
        self._camera_state(page)
        page.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1)
        page.wait("document.getElementById('work').classList.contains('stale')", "the reading to be dimmed")
        page.wait("!document.getElementById('notice').hidden", "the notice")

    def _video_state(self, page):
        self.play_clip(page)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.run("document.getElementById('video').pause()")
        page.run("document.getElementById('video').currentTime = 2.5")
        self.settle(page)

    def _unshown_state(self, page):
        self.play_sound(page)
        page.wait("document.getElementById('notice').innerText.includes('cannot show this video')", "the words")

    def _token_state(self, page):
        page.expected += ["401"]
        page.open(self.guarded.url)
        page.wait("document.getElementById('token-dialog').open", "the question")

    def accessible(self, page):
        """axe-core finds nothing in any state: light, dark, on a phone, and at 200 % zoom."""
        with open(self.axe, encoding="utf-8") as file:
            axe = file.read()
        states = [None] + [value for name, value in vars(AccessChecks).items() if name.endswith("_state")]
        found = []
        for state in states:
            page.open(self.server.url)
            # Frames of the page before are not answered any more.
            page.events.clear()
            page.wait("document.getElementById('model').innerText.length > 5", "the page to start")
            if state:
                state(self, page)
            # `void`: the value of the script is a function, which cannot be handed over.
            page.run(f"void ({{}}); {axe}; void 0")
            if state is None:
                # It does find what is wrong.
                page.run("document.getElementById('main').append(document.createElement('img'))")
                blind = page.run("axe.run(document).then(({ violations }) => violations.map(({ id }) => id))")
                expect(blind == ["image-alt"], f"a picture without a text: {blind}")
                page.run("document.querySelector('#main > img').remove()")
            for scheme, size in (("light", (1280, 860)), ("dark", (1280, 860)), ("light", (640, 430)), ("dark", (390, 844))):
                page.viewport(*size)
                page.prefer(prefers_color_scheme=scheme)
                expect(page.run("document.documentElement.scrollWidth <= innerWidth"),
                       f"{size}: wider than the window in the state {state and state.__name__}")
                violations = page.run("axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => "
                                      "violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 160))]))")
                found += [f"{state and state.__name__} {scheme} {size[0]}: {one}" for one in violations]
            headings = page.run("[...document.querySelectorAll('h1')].filter((one) => one.checkVisibility()).length")
            expect(headings == 1, f"{headings} first headings in the state {state and state.__name__}")
            page.call("Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1)
            page.call("Emulation.clearDeviceMetricsOverride")
            page.prefer(prefers_color_scheme="light")
        expect(not found, "axe finds\n  " + "\n  ".join(found))

    def colours(self, page):
        """Bars have an edge that is seen, follow their numbers at once, and forced colours tell what is chosen."""
        page.drop(self.photo)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        contrast = """(() => {
          const luminance = (text) => {
            const [r, g, b] = text.match(/[0-9.]+/g).slice(0, 3).map((value) => value / 255)
              .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const fill = getComputedStyle(document.querySelector('.bar.best .bar-fill'));
          const pair = [fill.boxShadow, getComputedStyle(document.querySelector('.bar.best .bar-track')).backgroundColor];
          const [low, high] = pair.map(luminance).sort((a, b) => a - b);
          return (high + 0.05) / (low + 0.05);
        })()"""
        for scheme in ("light", "dark"):
            page.prefer(prefers_color_scheme=scheme)
            expect(page.run(contrast) >= 3, f"a bar's edge has a contrast of {page.run(contrast):.2f} in the {scheme}")
        still = "getComputedStyle(document.querySelector('.bar-fill')).transitionDuration"
        expect(page.run(still) in ("", "0s"), f"bars lag behind their numbers by {page.run(still)}")
        page.prefer(prefers_color_scheme="light", forced_colors="active")
        grounds = page.run("[...document.querySelectorAll('#sources button')].map((one) => getComputedStyle(one).backgroundColor)")
        expect(grounds[0] != grounds[1] and grounds[1] == grounds[2], f"the chosen tab is hidden: {grounds}")
        page.prefer(prefers_color_scheme="light", forced_colors="none")

    def served(self, page):
        """The files: what they are, that they are not sent twice, and that only this server is spoken to."""
        head = page.run("""(async () => {
          const response = await fetch('/');
          return Object.fromEntries(response.headers);
        })()""")
        expect(head["content-type"] == "text/html; charset=utf-8", f"the type: {head['content-type']}")
        for directive in ("default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"):
            expect(directive in head["content-security-policy"], f"the policy: {head['content-security-policy']}")
        again = page.run(f"fetch('/', {{ headers: {{ 'If-None-Match': {json.dumps(head['etag'])} }}, cache: 'no-store' }})"
                         ".then((response) => response.status)")
        expect(again == 304, f"an unchanged page is answered by {again}")
        blocked = page.run("fetch('https://example.org/').then(() => false, () => true)")
        expect(blocked, "another host can be reached")
        page.expected += ["example.org"]
