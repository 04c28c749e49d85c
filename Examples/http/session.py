#!/usr/bin/env python3
"""Reads pictures as those of a camera, with asyncio and the package httpx: one task sends them, another listens.

    session.py PICTURE…

MIEN_URL is the server (http://127.0.0.1:8080), MIEN_TOKEN its token, if it asks for one.
"""

import asyncio
import json
import os
import sys

import httpx

URL = os.environ.get("MIEN_URL", "http://127.0.0.1:8080")
FRAMES_PER_SECOND = 10


async def send(client, session, paths):
    """Sends the pictures one after another, each with its time on the camera's clock."""
    for index, path in enumerate(paths):
        with open(path, "rb") as file:
            picture = file.read()
        parameters = {"seconds": index / FRAMES_PER_SECOND}
        answer = await client.post(f"/v1/sessions/{session}/frames", params=parameters, content=picture)
        if answer.is_error:
            print(f"{path}: {answer.json()['error']['message']}", file=sys.stderr)


async def listen(client, session, ready):
    """Prints the smoothed reading of each followed face as it comes, until the session is closed."""
    async with client.stream("GET", f"/v1/sessions/{session}/events", timeout=None) as answer:
        answer.raise_for_status()
        event = None
        async for line in answer.aiter_lines():
            if line.startswith(":"):
                # A comment: the server has begun to answer, or still stands.
                ready.set()
            elif line.startswith("event: "):
                event = line.removeprefix("event: ")
                if event == "end":
                    return
            elif line.startswith("data: ") and event == "frame":
                frame = json.loads(line.removeprefix("data: "))
                for face in frame["faces"]:
                    emotion = face["emotion"] or "unsure"
                    print(f"{frame['seconds']:.1f}\t{face['track']}\t{emotion}\t{face['probability']:.3f}")


async def main(paths):
    token = os.environ.get("MIEN_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(base_url=URL, headers=headers, timeout=60) as client:
        opened = await client.post("/v1/sessions", json={"minConfidence": 0.3})
        opened.raise_for_status()
        session, ready = opened.json()["id"], asyncio.Event()
        listener = asyncio.create_task(listen(client, session, ready))
        # Whoever listens late misses what came before.
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait([waiting, listener], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        try:
            await send(client, session, paths)
        finally:
            await client.delete(f"/v1/sessions/{session}")
        await listener


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print("usage: session.py PICTURE…", file=sys.stderr)
        sys.exit(64)
    asyncio.run(main(sys.argv[1:]))
