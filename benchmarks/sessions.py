"""Whether sound is late with fifty idle and four talking sessions on one local Live API.

    python benchmarks/sessions.py                        about two minutes
    python benchmarks/sessions.py --idle 10 --seconds 20

The server runs in a process of its own, as that of `vision-agent serve` does. The idle sessions
send what a quiet microphone sends; the talking ones ask a recorded question again and again. A
piece of an answer is late by the silence that the caller would have heard before it.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import ssl
import sys
import time
import wave

import numpy as np
import psutil
from rows import RECORDINGS
from websockets.asyncio.client import ClientConnection, connect

PATH = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
MODEL = "models/gemini-2.5-flash-native-audio-preview-12-2025"
CHUNK_MS = 40
HUSH = np.random.default_rng(1).normal(0, 12, 16 * CHUNK_MS).astype("<i2").tobytes()


async def session(url: str, tls: ssl.SSLContext, question: bytes | None, late: list[float]) -> None:
    """One session, until cancelled; a talking one notes how late each piece of its answers was."""
    async with connect(url, ssl=tls, max_size=None) as socket:
        setup = {"model": MODEL, "generationConfig": {"responseModalities": ["AUDIO"]}}
        await socket.send(json.dumps({"setup": setup}))
        await socket.recv()
        free = asyncio.Event()
        free.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(_listen(socket, free, late))
            group.create_task(_speak(socket, free, question))


async def _speak(socket: ClientConnection, free: asyncio.Event, question: bytes | None) -> None:
    """Send in real time: the question when the last answer is over, and a quiet room otherwise."""
    step = 32 * CHUNK_MS
    waiting = b""
    due_s = time.monotonic()
    while True:
        if question is not None and free.is_set() and not waiting:
            free.clear()
            waiting = question + bytes(32 * 1000)
        chunk, waiting = (waiting[:step], waiting[step:]) if waiting else (HUSH, b"")
        blob = {"mimeType": "audio/pcm;rate=16000", "data": base64.b64encode(chunk).decode()}
        await socket.send(json.dumps({"realtimeInput": {"audio": blob}}))
        due_s += CHUNK_MS / 1000
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))


async def _listen(socket: ClientConnection, free: asyncio.Event, late: list[float]) -> None:
    heard_until_s = 0.0
    async for message in socket:
        content = json.loads(message).get("serverContent", {})
        now_s = time.monotonic()
        for part in content.get("modelTurn", {}).get("parts", ()):
            if heard_until_s:
                late.append(max(0.0, 1000 * (now_s - heard_until_s)))
            data = base64.b64decode(part["inlineData"]["data"])
            heard_until_s = max(heard_until_s, now_s) + len(data) / 48_000
        if content.get("turnComplete"):
            heard_until_s = 0.0
            free.set()


async def measure(idle: int, talking: int, seconds: float) -> None:
    command = (sys.executable, "-m", "vision_agent.local", "--port", "0")
    server = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    try:
        ready = json.loads(await server.stdout.readline())
        tls = ssl.create_default_context(cadata=ready["certificate"])
        url = f"wss://127.0.0.1:{ready['port']}{PATH}?key=any"
        with wave.open(str(RECORDINGS / "speech" / "what-do-you-see.wav")) as recording:
            question = recording.readframes(recording.getnframes())
        await asyncio.sleep(10)  # the workers start
        family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        before_mb = sum(p.memory_info().rss for p in family) / 2**20
        late: list[float] = []
        calls = [
            asyncio.create_task(session(url, tls, question if n < talking else None, late))
            for n in range(idle + talking)
        ]
        await asyncio.sleep(5)
        late.clear()
        cpu_s = sum(sum(p.cpu_times()[:2]) for p in family)
        await asyncio.wait(calls, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        cpu_s = sum(sum(p.cpu_times()[:2]) for p in family) - cpu_s
        grown_mb = sum(p.memory_info().rss for p in family) / 2**20 - before_mb
        failed = [call for call in calls if call.done()]
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    finally:
        server.terminate()
        await server.wait()
    print(f"{idle} idle and {talking} talking sessions for {seconds:g} s; {len(failed)} failed")
    print(f"CPU {100 * cpu_s / seconds:.0f} % of a core, {grown_mb / len(calls):.1f} MB a session")
    if late:
        over = sum(ms > 20 for ms in late)
        print(
            f"{len(late)} pieces of sound: {over} more than 20 ms late, "
            f"p99 {np.percentile(late, 99):.0f} ms, worst {max(late):.0f} ms"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--idle", type=int, default=50)
    parser.add_argument("--talking", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=60)
    args = parser.parse_args()
    asyncio.run(measure(args.idle, args.talking, args.seconds))


if __name__ == "__main__":
    main()
