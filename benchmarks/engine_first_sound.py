"""The time from the detected end of a question to the first sound of the answer on the wire."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import av
import cv2
import numpy as np
from fixed_set import decoded, pcm, silence
from rows import RECORDINGS
from websockets.asyncio.client import ClientConnection, connect

# On Vertex AI's path, a client can ask for messages when speech begins and ends.
PATH = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"
MODEL = "projects/any/locations/any/publishers/google/models/gemini-live-2.5-flash-native-audio"
QUESTIONS = ("hello", "what-do-you-see", "what-colour-is-this", "read-the-text")
ROUNDS = 5
_CHUNK_MS = 40
_ROOM_MS = 1_000


async def measure_first_sound(every: int) -> list[dict[str, Any]]:
    """A row for each question, which is spoken in real time to a server in its own process."""
    rows = []
    async with live_server() as (url, tls):
        frame = _frame()
        for question in QUESTIONS:
            waits_ms = []
            for number in range(1 + max(2, ROUNDS // every)):
                waited_ms = await _ask(url, tls, frame, question)
                # The first session chooses and levels the voice, so it is not counted.
                if number:
                    waits_ms.append(waited_ms)
            rows.append(
                {
                    "": question.replace("-", " "),
                    "asked": len(waits_ms),
                    "median": float(np.median(waits_ms)),
                    "worst": float(max(waits_ms)),
                }
            )
    return rows


@asynccontextmanager
async def live_server() -> AsyncIterator[tuple[str, ssl.SSLContext]]:
    """A local Live API whose workers are ready; yields its URL and TLS context."""
    command = (sys.executable, "-m", "vision_agent.local", "--port", "0")
    server = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    try:
        ready = json.loads(await server.stdout.readline())
        await asyncio.sleep(10)  # the workers start
        tls = ssl.create_default_context(cadata=ready["certificate"])
        yield f"wss://127.0.0.1:{ready['port']}{PATH}?key=any", tls
    finally:
        server.terminate()
        await server.wait()


async def _ask(url: str, tls: ssl.SSLContext, frame: bytes, question: str) -> float:
    """The milliseconds between the server's two messages, in a session of its own."""
    async with connect(url, ssl=tls, max_size=None) as socket:
        setup = {
            "model": MODEL,
            "generationConfig": {"responseModalities": ["AUDIO"]},
            "explicitVadSignal": True,
        }
        await socket.send(json.dumps({"setup": setup}))
        await socket.recv()
        await _send(socket, "video", "image/jpeg", frame)
        speaking = asyncio.create_task(_speak(socket, question))
        try:
            decided_s = 0.0
            async for message in socket:
                told = json.loads(message)
                if told.get("voiceActivity", {}).get("type") == "ACTIVITY_END":
                    decided_s = time.perf_counter()
                if told.get("serverContent", {}).get("modelTurn"):
                    return 1000 * (time.perf_counter() - decided_s)
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
    raise RuntimeError("the server did not answer")


async def _speak(socket: ClientConnection, question: str) -> None:
    """Send the question and then silence, in real time."""
    sound = pcm(np.concatenate((silence(_ROOM_MS), decoded(f"speech/{question}.wav"))))
    step = 32 * _CHUNK_MS
    due_s = time.monotonic()
    while True:
        chunk, sound = sound[:step].ljust(step, b"\0"), sound[step:]
        await _send(socket, "audio", "audio/pcm;rate=16000", chunk)
        due_s += _CHUNK_MS / 1000
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))


async def _send(socket: ClientConnection, kind: str, mime_type: str, data: bytes) -> None:
    blob = {"mimeType": mime_type, "data": base64.b64encode(data).decode()}
    await socket.send(json.dumps({"realtimeInput": {kind: blob}}))


def _frame() -> bytes:
    """Bottles on a table, with text to read."""
    with av.open(str(RECORDINGS / "bottle.mp4")) as film:
        pixels = next(film.decode(video=0)).to_ndarray(format="bgr24")
    cv2.putText(pixels, "OPEN AT TEN", (40, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (0, 0, 0), 3)
    return cv2.imencode(".jpg", pixels)[1].tobytes()
