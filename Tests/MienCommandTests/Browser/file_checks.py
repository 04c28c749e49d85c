"""Checks of files: what is opened, saved and discarded."""

import base64
import csv
import io
import json
import os
import struct

from support import EMOTIONS, Base, blank, expect


class FileChecks(Base):
    """Checks of files: what is opened, saved and discarded."""

    def broken_photo(self, page):
        """A file that is no picture is named as such."""
        path = os.path.join(self.folder, "broken.jpg")
        with open(path, "wb") as file:
            file.write(b"\xff\xd8\xff nothing more")
        page.drop(path)
        page.wait("document.getElementById('faces-empty').innerText.length > 10", "words on the broken file")
        page.expected += ["422"]
        expect(page.run("document.getElementById('save-csv').disabled"), "there is something to save though nothing was read")

    def other_files(self, page):
        """Files of other kinds are named, and what can be read of a mixed drop is read."""
        page.expected += ["415", "422"]
        files = {"notes.txt": b"some notes", "IMG_2.HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64),
                 "clip.webm": b"\x1a\x45\xdf\xa3" + bytes(64)}
        for name, data in files.items():
            with open(os.path.join(self.folder, name), "wb") as file:
                file.write(data)
        notes, heic, clip = (os.path.join(self.folder, name) for name in files)
        page.drop(notes)
        page.wait("document.getElementById('notice').innerText.includes('notes.txt is neither a picture nor a video')", "words")
        expect(page.run("!document.getElementById('welcome').hidden"), "the first screen is gone")
        page.drop(self.photo, notes, clip, heic)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        words = page.text("#notice")
        expect("notes.txt is neither" in words and "Left out: clip.webm" in words, f"the page says {words!r}")
        # What the browser cannot show goes to the server as it is: that knows more kinds.
        page.wait("document.querySelectorAll('.thumb').length === 2 && "
                  "document.querySelectorAll('.thumb')[1].getAttribute('aria-label') === 'IMG_2.HEIC, failed'", "the HEIC")
        expect(sum("/v1/detect" in url for url in page.requests()) == 2, "the HEIC was not sent, or twice")
        page.click(".strip li:nth-child(2) button")
        page.wait("document.getElementById('faces-empty').innerText.length > 10", "what the server says of it")
        page.click("#notice-action")
        page.wait("document.getElementById('notice').innerText.includes('cannot show this video')", "the damaged video")
        # If the server cannot read it either, that is said once and for all.
        page.click("#notice-action")
        page.wait("document.getElementById('stage-message').innerText === 'This video cannot be read'", "what the server says")
        reason = page.text("#faces-empty")
        expect(len(reason) > 10 and reason in page.text("#notice"), f"below the faces stands {reason!r}")
        expect(not page.run("document.getElementById('notice-action').checkVisibility()"), "it is offered once more")

    def animation(self, page):
        """Of an animation the first frame is read; the page says so, and opens it as a video."""
        # A grey picture whose first pixel turns white after a tenth of a second.
        frame = bytes.fromhex("21f904000a0000002c000000000100010000")
        frames = frame + b"\x02\x02\x44\x01\x00" + frame + b"\x02\x02\x4c\x01\x00"
        path = os.path.join(self.folder, "moving.gif")
        with open(path, "wb") as file:
            file.write(b"GIF89a" + struct.pack("<HHBBB", 64, 64, 0x80, 0, 0) + b"\x80\x80\x80\xff\xff\xff" + frames + b";")
        page.drop(path, self.photo)
        page.wait("document.getElementById('photo-warning').checkVisibility()", "the words on the animation")
        words = page.text("#photo-warning-text")
        expect(words == "This picture is an animated GIF of 2 frames, of which the first was read.", f"the page says {words!r}")
        # What is shown is the frame that was read.
        page.run("new Promise((resolve) => setTimeout(resolve, 500))")
        colour = page.run("""(() => {
          const context = new OffscreenCanvas(64, 64).getContext('2d');
          context.drawImage(document.getElementById('photo'), 0, 0);
          return [...context.getImageData(0, 0, 1, 1).data];
        })()""")
        expect(colour == [128, 128, 128, 255], f"another frame is shown: {colour}")
        page.click(".strip li:nth-child(2) button")
        page.wait("!document.getElementById('photo-warning').checkVisibility()", "no words on the photo")
        page.click(".strip li:nth-child(1) button")
        page.wait("document.getElementById('open-animation').checkVisibility()", "the offer")
        page.wait("document.querySelectorAll('.thumb')[1].getAttribute('aria-label').endsWith('1 face')", "the photo")
        page.click("#open-animation")
        page.wait("document.getElementById('discard-dialog').open", "the question")
        page.click("#discard-dialog .primary")
        page.wait("document.getElementById('notice').innerText.includes('cannot show this video')", "the video")
        expect(page.text("#notice-action") == "Send it to the server", f"the offer: {page.text('#notice-action')!r}")

    def turned_photos(self, page):
        """Photos that browsers turn in different ways are shown as the server reads them: they look like the upright one."""
        with open(self.photo, "rb") as file:
            data = base64.b64encode(file.read()).decode()
        page.run("""(async () => {
          const bytes = Uint8Array.from(atob('DATA'), (letter) => letter.charCodeAt(0));
          const photo = await createImageBitmap(new Blob([bytes]));
          const angles = { 1: 0, 3: 180, 6: -90, 8: 90 };
          const text = (letters) => [...letters].map((letter) => letter.charCodeAt(0));
          window.openTurned = async (name, kind, orientation, type) => {
            const size = orientation > 4 ? [512, 640] : [640, 512];
            const canvas = new OffscreenCanvas(...size);
            const context = canvas.getContext('2d');
            Object.assign(context, { fillStyle: '#fff' }).fillRect(0, 0, ...size);
            context.translate(size[0] / 2, size[1] / 2);
            context.rotate(angles[orientation] * Math.PI / 180);
            context.drawImage(photo, -256, -256, 512, 512);
            const stored = new Uint8Array(await (await canvas.convertToBlob({ type: kind, quality: 0.95 })).arrayBuffer());
            const tiff = [...text('II*'), 0, 8, 0, 0, 0, 1, 0, 18, 1, type, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0];
            const exif = [...text('Exif'), 0, 0, ...tiff];
            let parts = [stored];
            if (kind === 'image/jpeg') {
              parts = [stored.slice(0, 2), Uint8Array.of(0xff, 0xe1, 0, exif.length + 2, ...exif), stored.slice(2)];
            } else if (kind === 'image/webp') {
              const head = stored.slice(0, 12);
              const has8X = String.fromCharCode(...stored.slice(12, 16)) === 'VP8X';
              const [w, h] = size.map((length) => length - 1);
              const chunk = [...text('VP8X'), 10, 0, 0, 0, 8, 0, 0, 0, w & 255, w >> 8, 0, h & 255, h >> 8, 0];
              const rest = stored.slice(has8X ? 30 : 12);
              const tail = Uint8Array.of(...text('EXIF'), tiff.length, 0, 0, 0, ...tiff);
              parts = [head, Uint8Array.from(chunk), rest, tail];
              new DataView(head.buffer).setUint32(4, 4 + chunk.length + rest.length + tail.length, true);
            }
            const transfer = new DataTransfer();
            transfer.items.add(new File(parts, name, { type: kind }));
            document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
          };
          window.looks = (image, width, height) => {
            const canvas = new OffscreenCanvas(width, height);
            const context = canvas.getContext('2d', { willReadFrequently: true });
            context.drawImage(image, 0, 0, width, height);
            return [...context.getImageData(0, 0, width, height).data];
          };
          window.shown = () => ({
            photo: looks(document.getElementById('photo'), 40, 32), thumb: looks(document.querySelector('.strip .thumb:last-of-type canvas'), 40, 32),
            face: looks(document.querySelector('.face.selected .face-picture'), 24, 24),
            map: looks(document.querySelector('.explanation-map'), 24, 24),
          });
          window.differences = (one) => Object.fromEntries(Object.entries(shown()).map(([name, looks]) => (
            [name, looks.reduce((sum, value, index) => sum + Math.abs(value - one[name][index]), 0) / looks.length])));
        })()""".replace("DATA", data))
        cases = [("plain.png", "image/png", 1, 3), ("o3.webp", "image/webp", 3, 3), ("o6.webp", "image/webp", 6, 3),
                 ("o8.webp", "image/webp", 8, 3), ("long.jpg", "image/jpeg", 6, 4), ("byte.jpg", "image/jpeg", 8, 1),
                 ("usual.jpg", "image/jpeg", 6, 3)]
        # The map of a photo that is out of sight is drawn small.
        page.viewport(640, 430)
        try:
            for name, kind, orientation, type_ in cases:
                page.run(f"window.openTurned('{name}', '{kind}', {orientation}, {type_})")
                page.wait(f"document.getElementById('caption').innerText === '{name}' && "
                          "document.querySelectorAll('.face').length === 1", f"the face of {name}")
                page.wait("!!document.querySelector('.strip .thumb canvas')", "its small picture")
                size = page.run("[document.getElementById('photo').naturalWidth, document.getElementById('photo').naturalHeight]")
                expect(size == [640, 512], f"{name} is shown at {size}")
                page.click(".selected .explanation .quiet")
                page.wait("!document.querySelector('.explanation figure').hidden", "the map")
                if name == "plain.png":
                    page.run("window.plain = shown()")
                differences = page.run("differences(window.plain)")
                expect(max(differences.values()) < 12, f"{name} looks different from the upright photo: {differences}")
                page.click("#save-json")
                stem = os.path.splitext(name)[0]
                [picture] = json.loads(page.downloaded(f"{stem}.json"))
                expect((picture["width"], picture["height"]) == (640, 512), f"the server reads {name} otherwise: {picture}")
                page.click("#save-picture")
                saved = page.downloaded(f"{stem}-mien.png")
                expect(struct.unpack(">II", saved[16:24]) == (640, 512), f"the saved picture of {name}")
                page.click("#brand")
                page.wait("!document.getElementById('welcome').hidden", "the first screen")
        finally:
            page.call("Emulation.clearDeviceMetricsOverride")

    def dropped_folder(self, page):
        """A dropped folder: its photos and those of the folders in it are read; a folder without files is named as such."""
        folder = os.path.join(self.folder, "holiday")
        os.makedirs(os.path.join(folder, "day 2"))
        os.makedirs(os.path.join(self.folder, "nothing"))
        for name in ("b.png", "a.png", os.path.join("day 2", "c.png")):
            with open(self.photo, "rb") as source, open(os.path.join(folder, name), "wb") as file:
                file.write(source.read())
        for name in ("notes.txt", ".hidden.png"):
            with open(os.path.join(folder, name), "w") as file:
                file.write("some notes")
        page.drop(os.path.join(self.folder, "nothing"))
        page.wait("document.getElementById('notice').innerText.includes('The folder nothing has no files')", "words on the empty folder")
        expect(page.run("!document.getElementById('welcome').hidden"), "the first screen is gone")
        page.drop(folder, self.photo)
        page.wait("document.getElementById('photo-count').innerText === '4 photos read'", "all four")
        expect("holiday/notes.txt is neither" in page.text("#notice"), f"the page says {page.text('#notice')!r}")
        page.click("#save-csv")
        lines = csv.reader(io.StringIO(page.downloaded("mien.csv").decode()))
        names = ["holiday/a.png", "holiday/b.png", "holiday/day 2/c.png", os.path.basename(self.photo)]
        expect([line[0] for line in lines] == ["file"] + names, "the names are not those that mien gives the files of a folder")
        page.run("document.querySelectorAll('.thumb')[2].click()")
        page.wait("document.getElementById('caption').innerText === 'holiday/day 2/c.png'", "the photo")
        page.click("#save-picture")
        page.downloaded("c-mien.png")
        os.remove(os.path.join(page.downloads, "mien.csv"))

    def discarded(self, page):
        """One face of one photo is soon read again: it is discarded without a question. A group photo is not."""
        page.drop(self.photo)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        leaving = """(() => { const leaving = new Event('beforeunload', { cancelable: true });
                      return !window.dispatchEvent(leaving); })()"""
        expect(not page.run(leaving), "the browser asks for the sake of one face")
        page.click("#brand")
        page.wait("!document.getElementById('welcome').hidden", "the first screen")
        page.run(self.made("1024", "512", "context.drawImage(photo, 0, 0); context.drawImage(photo, 512, 0)", "image/png", "two.png"))
        page.wait("document.querySelectorAll('.face').length === 2", "two faces")
        expect(page.run(leaving), "the browser does not ask though a group photo was read")
        page.click("#brand")
        page.wait("document.getElementById('discard-dialog').open", "the question")
        expect("1 photo is not saved" in page.text("#discard-dialog"), f"the question: {page.text('#discard-dialog')!r}")
        page.click("#discard-dialog [data-cancel]")
        page.click("#save-json")
        page.downloaded("two.json")
        page.click("#brand")
        page.wait("!document.getElementById('welcome').hidden", "the first screen, as all is saved")

    def files_as_mien_writes_them(self, page):
        """What is saved of photos is byte for byte what `mien detect` writes."""
        names = [os.path.basename(self.photo), "blank.png", "-2 =, \"é\".png"]
        blank(os.path.join(self.folder, names[1]))
        for name in (names[0], names[2]):
            with open(self.photo, "rb") as source, open(os.path.join(self.folder, name), "wb") as file:
                file.write(source.read())
        page.drop(*(os.path.join(self.folder, name) for name in names))
        page.wait("document.getElementById('photo-count').innerText === '3 photos read'", "all three")
        page.click("#save-json")
        page.click("#save-csv")
        saved = {kind: page.downloaded(f"mien.{kind}") for kind in ("json", "csv")}
        for kind in saved:
            expect(saved[kind] == self.mien("detect", "--landmarks", f"--{kind}", "-", "--", *names),
                   f"the page's {kind.upper()} of photos differs from mien's: {saved[kind].decode()}")

    def exports(self, page):
        """What is saved is what was read."""
        page.drop(self.photo)
        page.wait("!document.getElementById('save-json').disabled", "readings")
        name = os.path.splitext(os.path.basename(self.photo))[0]
        page.click("#save-json")
        [picture] = json.loads(page.downloaded(f"{name}.json"))
        expect(picture["file"] == os.path.basename(self.photo), "the file's name")
        [face] = picture["faces"]
        expect(face["emotion"] == "happiness" and abs(sum(face["scores"].values()) - 1) < 1e-3, f"the face: {face}")
        page.click("#save-csv")
        header, row = csv.reader(io.StringIO(page.downloaded(f"{name}.csv").decode()))
        expect(header[9:17] == EMOTIONS and len(row) == len(header), f"the columns: {header}")
        expect(row[6] == "happiness" and int(row[2]) == face["box"]["x"], f"the row: {row}")
        page.click("#save-picture")
        saved = page.downloaded(f"{name}-mien.png")
        expect(struct.unpack(">II", saved[16:24]) == (picture["width"], picture["height"]), "the picture's size")
