"""Checks of files: what is opened, saved and discarded."""

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
