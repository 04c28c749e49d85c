#!/usr/bin/env python3
"""Generates a Python client from a running server's OpenAPI document (openapi-python-client) and uses it.

    check-client.py URL PHOTO [TOKEN]

PHOTO has one face. Needs the packages of scripts/requirements-api.txt. The exit status is 1 if an answer is not what the
document promises.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

# The generator knows one content type of files; the server tells the kind of a file by its content.
KINDS = [f"image/{kind}" for kind in ["jpeg", "png", "webp", "heic", "avif", "gif", "bmp", "tiff"]]
KINDS += [f"video/{kind}" for kind in ["mp4", "webm", "quicktime", "x-matroska"]]


def generate(url, folder):
    """Writes the package `mien_client` into a folder."""
    document = folder / "openapi.json"
    with urllib.request.urlopen(f"{url}/openapi.json") as answer:
        document.write_bytes(answer.read())
    settings = folder / "settings.json"
    settings.write_text(json.dumps({
        "post_hooks": [], "content_type_overrides": {kind: "application/octet-stream" for kind in KINDS}}))
    subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", "--path", document, "--config", settings,
         "--output-path", folder / "client"], check=True, stdout=subprocess.DEVNULL)
    sys.path.insert(0, str(folder / "client"))


def expect(condition, what):
    if not condition:
        sys.exit(f"check-client: {what}")


def use(url, photo, token):
    from mien_client import AuthenticatedClient, Client
    from mien_client.api.pictures import detect, explain
    from mien_client.api.profiles import list_profiles
    from mien_client.api.server import get_version, is_ready, list_models
    from mien_client.api.sessions import add_frame, close_session, open_session
    from mien_client.api.videos import add_video, delete_video, get_video, list_videos
    from mien_client.models import DetectDetector, DetectFilesBody, Error, Frame, PictureText, Session, SessionOptions
    from mien_client.types import File

    def file(data=photo, name=None):
        import io
        return File(payload=io.BytesIO(data), file_name=name)

    client = AuthenticatedClient(base_url=url, token=token) if token else Client(base_url=url)
    with client:
        expect(is_ready.sync(client=client).status == "ready", "the server is not ready")
        version, models = get_version.sync(client=client), list_models.sync(client=client).models
        expect(version.model == models[0].name and models[0].default, "the version's model is not the default one")
        expect(list_profiles.sync(client=client).profiles is not None, "no list of profiles")

        picture = detect.sync(client=client, body=file())
        expect(len(picture.faces) == 1 and picture.error is None, f"expected one face, found {picture}")
        face = picture.faces[0]
        expect(abs(sum(face.scores.to_dict().values()) - 1) < 1e-3, "the scores do not add up to 1")
        whole = detect.sync(client=client, body=file(), detector=DetectDetector.NONE, model=version.model)
        expect(whole.faces[0].box.width == whole.width, "the picture was not taken as one face")
        listed = detect.sync(
            client=client, body=DetectFilesBody(pictures=[file(name="a.jpg"), file(b"no picture", name="b.jpg")]))
        expect([each.file for each in listed] == ["a.jpg", "b.jpg"] and listed[1].error, "the form's list is wrong")
        wrong = detect.sync(client=client, body=PictureText(image="hello"))
        expect(isinstance(wrong, Error) and wrong.error.code == "unsupported_type", "no error for a text")
        box = face.box
        explained = explain.sync(client=client, body=file(), x=box.x, y=box.y, width=box.width, height=box.height)
        expect(len(explained.map_.values) == explained.map_.width * explained.map_.height, "the map has other sides")

        session = open_session.sync(client=client, body=SessionOptions(min_confidence=0.2, model=version.model))
        expect(isinstance(session, Session) and session.profile is None, "no session")
        frame = add_frame.sync(session.id, client=client, body=file(), seconds=0.5)
        expect(isinstance(frame, Frame) and frame.faces[0].track == 1, "the session found no face")
        expect(close_session.sync_detailed(session.id, client=client).status_code == 204, "the session stays open")
        closed = add_frame.sync(session.id, client=client, body=file())
        expect(isinstance(closed, Error) and closed.error.code == "no_session", "no error for a closed session")

        job = add_video.sync(client=client, body=file(b"YUV4MPEG2 W16 H16 F1:1 C444\nFRAME\n" + bytes(768)))
        expect(job.id in [each.id for each in list_videos.sync(client=client).videos], "the video is not listed")
        expect(get_video.sync(job.id, client=client).model == version.model, "the video's model is another one")
        expect(delete_video.sync_detailed(job.id, client=client).status_code == 204, "the video is not deleted")


def main():
    url, path = sys.argv[1].rstrip("/"), pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        generate(url, pathlib.Path(folder))
        use(url, path.read_bytes(), sys.argv[3] if len(sys.argv) > 3 else None)
    print("the generated client works")


if __name__ == "__main__":
    main()
