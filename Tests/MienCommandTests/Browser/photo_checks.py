"""Checks of photos."""

import json
import os

from support import TOKEN, Base, blank, expect


class PhotoChecks(Base):
    """Checks of photos."""

    def photos(self, page):
        """Dropped photos: their faces and emotions."""
        page.drop(self.photo, blank(os.path.join(self.folder, "blank.png")))
        page.wait("document.querySelectorAll('.face').length === 1", "one face")
        expect(page.text(".face-emotion").lower() == "happiness", f"the emotion is {page.text('.face-emotion')!r}")
        expect(len(page.run("[...document.querySelectorAll('.bar')].map((bar) => bar.innerText)")) == 8, "eight bars")
        expect("1 face. Face 1: happiness" in page.text("#announcer"), f"announced: {page.text('#announcer')!r}")
        drawn = "(() => { const c = document.getElementById('overlay'); return c.getContext('2d')" \
            ".getImageData(0, 0, c.width, c.height).data.some((value) => value > 0); })()"
        expect(page.run(drawn), "nothing is drawn over the photo")
        page.wait("document.querySelectorAll('.thumb')[1].getAttribute('aria-label') === 'blank.png, 0 faces'", "no face")
        page.click(".strip li:nth-child(2) button")
        page.wait("document.getElementById('stage-message').innerText === 'No face found'", "the words for no face")
        expect(page.run("document.querySelectorAll('.face').length") == 0, "a face on a blank picture")

    def strip(self, page):
        """Many photos: how many are read, keys, removing one and all of them."""
        copies = []
        for index in range(3):
            copies.append(os.path.join(self.folder, f"copy-{index}.png"))
            with open(self.photo, "rb") as source, open(copies[-1], "wb") as file:
                file.write(source.read())
        page.drop(*copies)
        page.wait("document.getElementById('photo-count').innerText === '3 photos read'", "all three")
        page.run("document.querySelector('.thumb[aria-current]').focus()")
        for key, name in (("End", "copy-2"), ("Home", "copy-0"), ("ArrowRight", "copy-1")):
            page.key(key)
            page.wait(f"document.getElementById('caption').innerText === '{name}.png'", f"{name} after {key}")
            expect(page.run("document.activeElement.getAttribute('aria-current')") == "true", "the focus stays behind")
        expect(page.run("document.querySelectorAll('.thumb[tabindex=\"0\"]').length") == 1, "every photo is a stop of Tab")
        page.key("Delete")
        page.wait("document.querySelectorAll('.thumb').length === 2", "one photo less")
        page.wait("document.getElementById('caption').innerText === 'copy-2.png'", "its neighbour")
        # Nothing leaves unsaved readings without a question: neither the logo nor the browser itself.
        page.click("#brand")
        page.wait("document.getElementById('discard-dialog').open", "the question before the start page")
        page.click("#discard-dialog [data-cancel]")
        expect(page.run("document.querySelectorAll('.thumb').length") == 2, "the photos after the question")
        expect(page.run("""(() => { const leaving = new Event('beforeunload', { cancelable: true });
                            return !window.dispatchEvent(leaving); })()"""), "the browser to be told of unsaved readings")
        page.click("#clear-photos")
        page.wait("document.getElementById('discard-dialog').open", "the question")
        page.click("#discard-dialog .primary")
        page.wait("!document.getElementById('welcome').hidden", "the first screen")

    def deleted_photos(self, page):
        """Delete on one of two photos: the strip goes, and the focus stays at the photos."""
        page.drop(self.photo, blank(os.path.join(self.folder, "blank.png")))
        page.wait("document.getElementById('photo-count').innerText === '2 photos read'", "both")
        page.run("document.querySelector('.thumb[aria-current]').focus()")
        page.key("Delete")
        page.wait("document.getElementById('strip').hidden", "no strip for one photo")
        expect(page.run("document.activeElement.id") == "remove-photo", "the focus is lost")

    def large_photo(self, page):
        """A photo of 48 million pixels is read by a server that takes 25 million, and told in its own pixels."""
        page.expected += ["413"]
        page.open(self.guarded.url)
        page.wait("document.getElementById('token-dialog').open", "the question")
        page.expected += ["401"]
        page.type(TOKEN)
        page.key("Enter")
        page.wait("document.getElementById('model').innerText.length > 5", "the page to start")
        page.run(self.made("8000", "6000", "context.drawImage(photo, 1000, 0, 6000, 6000)", "image/jpeg", "large.jpg"))
        page.wait("document.querySelectorAll('.face').length === 1", "a face", 90)
        page.click("#save-json")
        [picture] = json.loads(page.downloaded("large.json"))
        expect((picture["width"], picture["height"]) == (8000, 6000), f"the size: {picture['width']}x{picture['height']}")
        expect(picture["faces"][0]["box"]["width"] > 800, f"the box: {picture['faces'][0]['box']}")
        page.click(".explanation .quiet")
        page.wait("!document.querySelector('.explanation figure').hidden", "the map of the copy")

    def explanation(self, page):
        """Why a face is read as it is: a map over the face, by the button and by a second click on the face."""
        page.drop(self.photo)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.click(".explanation .quiet")
        page.wait("!document.querySelector('.explanation figure').hidden", "the map")
        expect("happiness" in page.text(".explanation figcaption"), f"below it: {page.text('.explanation figcaption')!r}")
        label = page.run("document.querySelector('.explanation figure').getAttribute('aria-label')")
        expect(label.startswith("Face 1, the ") and label.endswith(" of the face’s picture supports happiness most"), f"the map's name: {label!r}")
        expect(page.run("document.querySelector('.explanation-map').hidden"), "the map is drawn small as well")
        # It is drawn over the large photo, in the face.
        coloured = """(() => {
          const { width, height } = document.getElementById('overlay');
          const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
          context.drawImage(document.getElementById('overlay'), 0, 0);
          const { data } = context.getImageData(0, 0, width, height);
          let count = 0;
          for (let i = 0; i < data.length; i += 4) count += data[i + 3] > 60 && data[i + 3] < 200 ? 1 : 0;
          return count / (width * height);
        })()"""
        expect(0.01 < page.run(coloured) < 0.5, f"{page.run(coloured):.3f} of the photo is coloured")
        page.click(".explanation .quiet")
        page.wait("document.querySelector('.explanation figure').hidden", "the map to go")
        expect(page.run(coloured) < 0.01, "the map stays on the photo")
        page.click("#save-json")
        [picture] = json.loads(page.downloaded(f"{os.path.splitext(os.path.basename(self.photo))[0]}.json"))
        box = picture["faces"][0]["box"]
        across, down = (box["x"] + box["width"] / 2) / picture["width"], (box["y"] + box["height"] / 2) / picture["height"]
        page.run(f"""(() => {{
          const viewport = document.getElementById('viewport');
          const {{ left, top, width, height }} = viewport.getBoundingClientRect();
          const place = {{ clientX: left + {across} * width, clientY: top + {down} * height }};
          viewport.dispatchEvent(new MouseEvent('click', place));
        }})()""")
        page.wait("!document.querySelector('.explanation figure').hidden", "the map after a click on the face")
        # In a low window the photo is out of sight: the map is drawn small, where one looks.
        page.click(".explanation .quiet")
        page.viewport(640, 430)
        try:
            page.click(".explanation .quiet")
            page.wait("!document.querySelector('.explanation figure').hidden", "the map in a low window")
            expect(page.run("document.querySelector('.explanation-map').checkVisibility()"), "the map is out of sight")
        finally:
            page.call("Emulation.clearDeviceMetricsOverride")

    def correction(self, page):
        """A correction is kept by the server, with no picture unless asked."""
        page.drop(self.photo)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.click(".correction .quiet")
        page.wait("document.querySelector('.correction-form')", "the form")
        expect(page.run("document.querySelector('.correction-form select').value") == "", "an answer is chosen already")
        offered = page.run("[...document.querySelectorAll('.correction-form option')].map((one) => one.innerText)")
        expect("happiness (as read)" in offered and len(offered) == 9, f"offered: {offered}")
        hidden = """(() => {
          const button = document.querySelector('.correction-form .primary');
          const { left, top, width, height } = button.getBoundingClientRect();
          return !button.contains(document.elementFromPoint(left + width / 2, top + height / 2));
        })()"""
        page.wait(f"!({hidden})", "the form's button in view")
        words = page.text(".correction-form")
        expect("adapted to the profile" in words and "learns" not in words, f"the form says {words!r}")
        page.key("Escape")
        expect(page.run("document.querySelector('.correction-form') === null"), "Escape does not close the form")
        expect(page.run("document.activeElement.matches('.correction .quiet')"), "the focus is not on the button of the form")
        page.key("Enter")
        page.wait("document.querySelector('.correction-form')", "the form again")
        page.click(".correction-form .primary")
        expect(page.run("document.querySelector('.correction-form') !== null"), "sent without an answer")
        page.run("document.querySelector('.correction-form select').value = 'sadness'")
        page.click(".correction-form .primary")
        page.wait("document.querySelector('.correction .quiet').innerText.startsWith('Stored')", "the thanks")
        [kept] = page.run("fetch('/v1/corrections?profile=me').then((response) => response.json())")["corrections"]
        expect(kept["emotion"] == "sadness" and kept["read"]["emotion"] == "happiness", f"kept: {kept}")
        expect(kept["hasCrop"] is False, "a picture is kept")

    def unsure(self, page):
        """Where the server gives no emotion, the page says so."""
        page.run("""(() => {
          const plain = window.fetch;
          window.fetch = async (path, options) => {
            const response = await plain(path, options);
            if (!String(path).includes('/v1/detect')) return response;
            const json = await response.json();
            json.faces[0].confident = false;
            return new Response(JSON.stringify(json), { status: 200 });
          };
        })()""")
        page.drop(self.photo)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        expect(page.text(".face-emotion").lower() == "unsure", f"the page says {page.text('.face-emotion')!r}")
        expect("perhaps happiness" in page.text(".face-detail"), f"the page says {page.text('.face-detail')!r}")

    def zoomed(self, page):
        """The picture can be enlarged, follows the selected face, and is in reach of the keyboard."""
        page.drop(self.photo)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        expect(page.run("document.getElementById('zoom-out').disabled"), "it can be made smaller than it is")
        width = page.run("document.getElementById('viewport').clientWidth")
        for _ in range(3):
            page.click("#zoom-in")
        expect(page.run("document.getElementById('viewport').clientWidth") > 2.5 * width, "it is not larger")
        expect(page.run("document.getElementById('scroller').tabIndex") == 0, "it cannot be scrolled by the keyboard")
        place = page.run("""(() => {
          const scroller = document.getElementById('scroller');
          return [scroller.scrollLeft + scroller.clientWidth / 2, scroller.scrollTop + scroller.clientHeight / 2]
            .map((value, index) => value / [scroller.scrollWidth, scroller.scrollHeight][index]);
        })()""")
        page.click("#save-json")
        [picture] = json.loads(page.downloaded(f"{os.path.splitext(os.path.basename(self.photo))[0]}.json"))
        box = picture["faces"][0]["box"]
        face = [(box["x"] + box["width"] / 2) / picture["width"], (box["y"] + box["height"] / 2) / picture["height"]]
        # The face is in the middle, or as near to it as the picture's edge lets it be.
        for at, wanted in zip(place, face):
            expect(abs(at - max(1 / 6, min(5 / 6, wanted))) < 0.12, f"the middle is at {place}, the face at {face}")

    def details(self, page):
        """What else is known of a face, and why a reading is doubtful."""
        page.run("""(() => {
          const plain = window.fetch;
          window.fetch = async (path, options) => {
            const response = await plain(path, options);
            if (!String(path).includes('/v1/detect')) return response;
            const json = await response.json();
            Object.assign(json.faces[0], { confident: false, reason: 'small' });
            return new Response(JSON.stringify(json), { status: 200 });
          };
        })()""")
        page.drop(self.photo)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        expect("small face" in page.text(".face-detail") and "few pixels" in page.text(".face-doubt"),
               f"the doubt: {page.text('.face')!r}")
        visible = "[...document.querySelectorAll('.bar')].filter((bar) => !bar.hidden).length"
        expect(page.run(visible) == 3, f"{page.run(visible)} bars")
        expect(page.text(".more-bars") == "All 8 emotions", f"the button: {page.text('.more-bars')!r}")
        page.click(".more-bars")
        expect(page.run(visible) == 8, f"{page.run(visible)} bars of all")
        widths = page.run("[...document.querySelectorAll('.bar-fill')].map((fill) => parseFloat(fill.style.width))")
        expect(widths == sorted(widths, reverse=True) and widths[0] > 40, f"the longest bar is not first: {widths}")
        # In bold the widest there is.
        wide = page.run("""[...document.querySelectorAll('.bar')].filter((bar) => {
          bar.classList.add('best');
          const value = bar.querySelector('.bar-value');
          value.textContent = '>99\u00a0%';
          const range = document.createRange();
          range.selectNodeContents(value);
          return range.getBoundingClientRect().right > bar.parentElement.getBoundingClientRect().right + 0.5;
        }).length""")
        expect(wide == 0, f"{wide} of 8 probabilities stick out")
        expect(page.run("document.querySelector('.details').open") is False, "the details are in the way")
        page.click(".details summary")
        page.wait("document.querySelectorAll('.details dt').length === 6", "the details")
        words = page.text(".details")
        for name in ("Is a face", "Looks", "Eyes open", "Mouth", "Brows raised"):
            expect(name in words, f"the details: {words!r}")

    def profile(self, page):
        """The profile that the server reads with is shown, and corrections are meant for it."""
        script = page.call("Page.addScriptToEvaluateOnNewDocument", source="""
          const plain = window.fetch;
          window.fetch = async (path, options) => {
            const response = await plain(path, options);
            if (String(path) !== '/v1/models') return response;
            const json = await response.json();
            json.models[0].profile = 'hall';
            return new Response(JSON.stringify(json), { status: response.status });
          };
        """)["identifier"]
        try:
            page.run("sessionStorage.clear()")
            page.open(self.server.url)
            page.wait("document.getElementById('model').innerText.endsWith('adapted by the profile hall')", "the profile")
            page.drop(self.photo)
            page.wait("document.querySelectorAll('.face').length === 1", "a face")
            page.click(".correction .quiet")
            page.wait("document.querySelector('.correction-form input:not([type])')?.value === 'hall'", "the profile in the form")
        finally:
            page.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script)

    def adapting(self, page):
        """Where the server fits profiles by request, corrections are followed by that, and the profile reads from then on."""
        script = page.call("Page.addScriptToEvaluateOnNewDocument", source="""
          const plain = window.fetch;
          window.names = [];
          window.asked = [];
          const answer = (json, status = 200) => new Response(JSON.stringify(json), { status });
          window.fetch = async (path, options) => {
            const [address, query] = String(path).split('?');
            if (address === '/openapi.json') {
              const json = await (await plain(path, options)).json();
              json.paths['/v1/profiles'] = json.paths['/v1/profiles/{profile}'] = {};
              return answer(json);
            }
            if (address === '/v1/profiles') return answer({ profiles: window.names.map((profile) => ({ profile })) });
            if (address.startsWith('/v1/profiles/')) {
              if (window.isWorse) return answer({ error: { code: 'worse', message: 'Fewer are read right.' } }, 409);
              window.names.push(address.slice(13));
              return answer({ corrections: 3, before: { correct: 1 }, after: { correct: 2 } });
            }
            if (address !== '/v1/detect') return plain(path, options);
            window.asked.push(new URLSearchParams(query).get('profile'));
            return plain(address, options);
          };
        """)["identifier"]
        try:
            page.open(self.server.url)
            page.wait("document.getElementById('model').innerText.length > 5", "the page to start")
            expect(page.run("document.getElementById('profile-choice').hidden"), "profiles are offered, and there are none")
            page.drop(self.photo)
            page.wait("document.querySelectorAll('.face').length === 1", "a face")
            page.click(".correction .quiet")
            page.wait("document.querySelector('.correction-form')", "the form")
            expect("mien adapt" not in page.text(".correction-form"), "somebody else has to adapt the model")
            page.run("document.querySelector('.correction-form select').value = 'sadness'")
            page.run("document.querySelector('.correction-form input:not([type])').value = 'hall'")
            page.click(".correction-form .primary")
            page.wait("document.querySelector('.adapt')?.checkVisibility()", "the offer")
            page.run("window.isWorse = true")
            page.click(".adapt")
            page.wait("document.querySelector('.correction .error').innerText === 'Fewer are read right.'", "the refusal")
            page.run("window.isWorse = false")
            page.click(".adapt")
            page.wait("document.getElementById('notice').innerText.includes('The profile hall is in use')", "what came of it")
            page.wait("window.asked.join() === ',hall'", "the photo to be read again")
            page.wait("document.getElementById('profile').value === 'hall'", "the profile to be chosen")
            page.run("document.getElementById('profile').value = ''")
            page.run("document.getElementById('profile').dispatchEvent(new Event('change'))")
            page.wait("window.asked.length === 3 && window.asked[2] === ''", "the photo to be read without a profile")
            page.wait("document.querySelectorAll('.face').length === 1", "a face")
        finally:
            page.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
            page.expected += ["409"]

    def deleted_profile(self, page):
        """A profile that was deleted no longer reads, and is no longer proposed for corrections."""
        def correction():
            page.wait("document.querySelectorAll('.face').length === 1", "a face")
            page.click(".correction .quiet")
            page.wait("document.querySelector('.correction-form')", "the form")
            return page.run("document.querySelector('.correction-form input:not([type])').value")

        page.drop(self.photo)
        correction()
        page.run("document.querySelector('.correction-form select').value = 'sadness'")
        page.run("document.querySelector('.correction-form input:not([type])').value = 'gone'")
        page.click(".correction-form .primary")
        page.wait("document.querySelector('.adapt')?.checkVisibility()", "the offer")
        expect(page.run("fetch('/v1/profiles/gone?force=true', { method: 'PUT' }).then(({ status }) => status)") == 200,
               "the profile is not fitted")
        page.open(self.server.url)
        page.wait("[...document.getElementById('profile').options].some(({ value }) => value === 'gone')", "the profile")
        page.run("document.getElementById('profile').value = 'gone'")
        page.run("document.getElementById('profile').dispatchEvent(new Event('change'))")
        page.drop(self.photo)
        proposed = correction()
        expect(proposed == "gone", f"the form proposes {proposed!r} for the profile of the last correction")
        page.expected += ["404"]
        page.run("fetch('/v1/profiles/gone', { method: 'DELETE' })")
        page.run("fetch('/v1/corrections?profile=gone', { method: 'DELETE' })")
        # Two of them are sent before the page learns of it.
        page.drop(self.photo, *(blank(os.path.join(self.folder, f"late-{index}.png")) for index in range(2)))
        page.wait("document.getElementById('notice').innerText.includes('The profile gone was deleted')", "the words")
        page.wait("document.getElementById('photo-count').innerText === '4 photos read'", "all to be read without it")
        page.wait("document.getElementById('profile').value === ''", "no profile to be chosen")
        page.open(self.server.url)
        page.wait("document.getElementById('model').innerText.length > 5", "the page to start")
        page.drop(self.photo)
        proposed = correction()
        expect(proposed == "me", f"the form proposes {proposed!r}, whose profile was deleted")
