"""How fast the agent falls silent when its caller cuts in, and what a cough does to its answer.

    python benchmarks/barge_in.py                       200 interruptions and 50 coughs, 8 minutes
    python benchmarks/barge_in.py --interruptions 20 --coughs 5
    python benchmarks/barge_in.py --hold-ms 0           playback never pauses on a guess

Real peers call `vision-agent serve`, whose model is the local Live API with a scenario. An answer
is a tone, so each of its packets can be told from silence. The real detectors find speech on both
sides. All times are taken at the caller, in one process: from the moment its first voiced frame
was handed to its encoder to the arrival of the last voiced packet of the old answer.

Half of the interruptions come while a tool blocks a thread for 1.5 s (`slow_agent`).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from processes import BenchmarkFailed, Server
from rich.console import Console
from rich.table import Table

from vision_agent.caller.peer import CallerPeer
from vision_agent.caller.recording import SOUND_RATE_HZ, Samples, read_sound
from vision_agent.caller.signalling import Signalling
from vision_agent.caller.tracks import MicrophoneTrack
from vision_agent.caller.utterances import Span, utterances

HERE = Path(__file__).parent
SPEECH = HERE.parent / "samples" / "recordings" / "speech"
WORDS = ("stop", "stop-slt", "hello", "hello-slt", "what-do-you-see", "what-changed-rms")
ROOM_RMS = 30.0
VOICED_RMS = 1_000.0
PATIENCE_S = 20.0


@dataclass
class Ear:
    """The agent's voice as received: (arrival in ms, whether it is voiced) of each packet."""

    packets: list[tuple[int, bool]] = field(default_factory=list)

    def feed(self, samples: Samples, arrived_ms: int) -> None:
        """Take one decoded frame."""
        rms = float(np.sqrt(np.mean(samples.astype(np.float32) ** 2))) if len(samples) else 0.0
        self.packets.append((arrived_ms, rms >= VOICED_RMS))

    def since(self, at_ms: float) -> list[tuple[int, bool]]:
        """The packets that arrived at this time or later."""
        return [packet for packet in self.packets if packet[0] >= at_ms]


class Microphone(MicrophoneTrack):
    """A microphone in a room: never digitally silent."""

    async def recv(self) -> av.AudioFrame:
        """Return the next 20 ms when they are due."""
        quiet = await super().recv()
        samples = quiet.to_ndarray() + np.random.normal(0, ROOM_RMS, (1, quiet.samples))
        frame = av.AudioFrame.from_ndarray(
            np.clip(samples, -32768, 32767).astype(np.int16), format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = quiet.rate, quiet.pts, quiet.time_base
        return frame


class Caller:
    """One call, and the messages of its data channel."""

    def __init__(self, url: str) -> None:
        self._began_s = time.monotonic()
        self._signalling = Signalling(url, None, PATIENCE_S)
        self.microphone = Microphone()
        self.ear = Ear()
        self.messages: list[tuple[int, dict[str, Any]]] = []
        self.peer = CallerPeer(
            self.microphone,
            None,
            self.feed,  # type: ignore[arg-type]
            self.ear.feed,
            self.now_ms,
        )
        self._pc_id: str | None = None

    def now_ms(self) -> int:
        """The time since this caller was created."""
        return round(1000 * (time.monotonic() - self._began_s))

    def feed(self, message: str, at_ms: int) -> None:
        """Take a message of the channel."""
        if message.startswith("{"):
            self.messages.append((at_ms, json.loads(message)))

    async def dial(self) -> None:
        """Call, and wait for the agent to listen."""
        answer = await self._signalling.offer(await self.peer.offer())
        await self.peer.accept(answer.sdp)
        self._pc_id = answer.pc_id
        await self.until(lambda: self.said("bot-ready", 0), "the agent to be ready")

    async def hang_up(self) -> None:
        """End the call."""
        if self._pc_id:
            await self._signalling.goodbye(self._pc_id)
        await self.peer.close()

    def said(self, kind: str, since_ms: int) -> bool:
        """Whether a message of this type (or kind) has come since."""
        return any(
            at_ms >= since_ms and kind in (m.get("type"), (m.get("data") or {}).get("kind"))
            for at_ms, m in self.messages
        )

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a condition; a failure names it."""
        end_s = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > end_s:
                raise BenchmarkFailed(f"{what} was waited for in vain.")
            await asyncio.sleep(0.005)

    async def voice(self, since_ms: int) -> None:
        """Wait until the agent is heard."""
        await self.until(
            lambda: any(voiced for _, voiced in self.ear.since(since_ms)), "the agent's voice"
        )

    def goes_on(self, since_ms: float) -> bool:
        """Whether the agent is heard now, or was again after a pause."""
        packets = self.ear.since(since_ms)
        silent = next((i for i, (_, voiced) in enumerate(packets) if not voiced), None)
        return silent is None or any(voiced for _, voiced in packets[silent:])

    async def speak(self, sound: Samples, spans: list[Span]) -> float:
        """Say something; returns the time in ms at which its first voiced frame left."""
        before = len(self.microphone.started_at)
        shifted = [Span(-1, -1)] * before + spans  # the track counts its utterances
        self.microphone.speak(sound, shifted)
        await self.until(lambda: len(self.microphone.started_at) > before, "the microphone")
        return 1000 * (self.microphone.started_at[before] - self._began_s)


@dataclass
class Figures:
    """The measurements of all calls."""

    silent_ms: dict[str, list[float]] = field(default_factory=lambda: {"plain": [], "tool": []})
    told_ms: dict[str, list[float]] = field(default_factory=lambda: {"plain": [], "tool": []})
    stale: int = 0
    never_silent: int = 0
    coughs: int = 0
    coughs_interrupted: int = 0
    coughs_lost: int = 0
    cough_pause_ms: list[float] = field(default_factory=list)


async def interrupt(caller: Caller, sound: Samples, figures: Figures, *, tool: bool) -> None:
    """Let an answer begin, and cut in."""
    since = caller.now_ms()
    if tool:
        caller.peer.type("search")
        await caller.until(
            lambda: caller.said("llm-function-call-in-progress", since), "the tool's start"
        )
    caller.peer.type("a story")
    await caller.voice(since)
    await asyncio.sleep(random.uniform(0.3, 0.6) if tool else random.uniform(0.8, 1.6))
    if tool and caller.said("llm-function-call-stopped", since):
        # The machine was busy, and the tool has ended already: try again.
        caller.peer.type("enough")
        await asyncio.sleep(1)
        await interrupt(caller, sound, figures, tool=tool)
        return
    onset_ms = await caller.speak(sound, utterances(sound, SOUND_RATE_HZ))
    began = round(onset_ms)
    await caller.until(lambda: caller.said("interrupted", began), "the interruption")
    await asyncio.sleep(1.5)  # the caller's words, their end, the turn's end, the tool's
    row = "tool" if tool else "plain"
    told = next(
        at
        for at, m in caller.messages
        if at >= began and (m.get("data") or {}).get("kind") == "interrupted"
    )
    figures.told_ms[row].append(told - onset_ms)
    packets = caller.ear.since(onset_ms)
    silent = next((i for i, (_, voiced) in enumerate(packets) if not voiced), None)
    if silent is None:
        figures.never_silent += 1
        return
    figures.silent_ms[row].append(packets[silent - 1][0] - onset_ms if silent else 0.0)
    figures.stale += sum(voiced for _, voiced in packets[silent:])


async def cough(caller: Caller, sound: Samples, figures: Figures) -> None:
    """Let an answer begin, and cough."""
    since = caller.now_ms()
    caller.peer.type("a story")
    await caller.voice(since)
    await asyncio.sleep(random.uniform(1.2, 1.8))
    onset_ms = await caller.speak(sound, [Span(0, len(sound) * 1000 // SOUND_RATE_HZ)])
    await asyncio.sleep(2.2)
    with contextlib.suppress(BenchmarkFailed):  # counted below
        await caller.until(lambda: caller.goes_on(onset_ms), "the rest of the answer")
    figures.coughs += 1
    interrupted = caller.said("interrupted", round(onset_ms))
    if interrupted:
        figures.coughs_interrupted += 1
    else:
        voiced = [at for at, is_voiced in caller.ear.since(onset_ms) if is_voiced]
        goes_on = caller.goes_on(onset_ms)
        figures.coughs_lost += not goes_on
        figures.cough_pause_ms.append(max(np.diff(voiced), default=0.0) if goes_on else 0.0)
    # The rest of this answer is interrupted by typing, so that the next one begins in silence.
    began = caller.now_ms()
    caller.peer.type("enough")
    if not interrupted:
        await caller.until(lambda: caller.said("interrupted", began), "the end of the answer")
    await asyncio.sleep(0.5)


def a_cough(seed: int) -> Samples:
    """180 ms of noise, loud at once and fading: it has the energy of speech, but no pitch."""
    t = np.arange(round(0.18 * SOUND_RATE_HZ)) / SOUND_RATE_HZ
    noise = np.random.default_rng(seed).normal(0, 1, len(t))
    noise = np.convolve(noise, np.ones(12) / 12, "same")
    shape = np.minimum(1, t / 0.01) * np.exp(-t / 0.07)
    return (noise / np.abs(noise).max() * shape * 20_000).astype(np.int16)


def trimmed(sound: Samples) -> Samples:
    """A sound without leading silence, so that its first packet is voiced."""
    first = utterances(sound, SOUND_RATE_HZ)[0].start_ms * SOUND_RATE_HZ // 1000
    return sound[first:]


async def one_call(url: str, rows: list[str], figures: Figures, seed: int) -> None:
    """Make a call, and do all of `rows` in it, in order."""
    sounds = [trimmed(read_sound(SPEECH / f"{words}.wav")) for words in WORDS]
    caller = Caller(url)
    await caller.dial()
    try:
        for number, row in enumerate(rows):
            if row == "cough":
                await cough(caller, a_cough(1000 * seed + number), figures)
            else:
                await interrupt(caller, sounds[number % len(sounds)], figures, tool=row == "tool")
    finally:
        await caller.hang_up()


def command() -> list[str]:
    """The product's command line."""
    serve = [sys.executable, "-m", "vision_agent", "serve", "--port", "{port}"]
    return [*serve, "--agent", str(HERE / "slow_agent"), "--scenario", str(HERE / "barge_in.yaml")]


def percentiles(values: list[float]) -> tuple[float, float, float]:
    """Median, 95th percentile and maximum."""
    if not values:
        return (0.0, 0.0, 0.0)
    return (statistics.median(values), float(np.percentile(values, 95)), max(values))


def show(figures: Figures, console: Console) -> None:
    """Print the tables."""
    table = Table("interruptions", "n", "first voiced → last old packet, ms", "→ told, ms")
    for row in ("plain", "tool"):
        silent, told = figures.silent_ms[row], figures.told_ms[row]
        name = "while a tool blocks 1.5 s" if row == "tool" else "while the agent speaks"
        cells = [" / ".join(f"{p:.0f}" for p in percentiles(x)) for x in (silent, told)]
        table.add_row(name, str(len(silent)), *cells)
    console.print(table, "median / 95th percentile / worst")
    console.print(
        f"stale packets: {figures.stale}; never silent: {figures.never_silent}\n"
        f"coughs: {figures.coughs}, taken for speech by the model: {figures.coughs_interrupted}, "
        f"answers lost: {figures.coughs_lost}, pause "
        + " / ".join(f"{p:.0f}" for p in percentiles(figures.cough_pause_ms))
        + " ms"
    )


async def run(arguments: argparse.Namespace) -> Figures:
    """Start the product, call it, and measure."""
    os.environ["VISION_AGENT_BARGE_IN_HOLD_MS"] = str(arguments.hold_ms)
    random.seed(arguments.seed)
    half = arguments.interruptions // 2
    rows = ["plain"] * (arguments.interruptions - half) + ["tool"] * half
    rows += ["cough"] * arguments.coughs
    random.shuffle(rows)
    figures = Figures()
    async with Server(command(), "/healthz") as server, asyncio.TaskGroup() as calls:
        for number in range(arguments.callers):
            mine = rows[number :: arguments.callers]
            calls.create_task(one_call(server.url, mine, figures, number))
    return figures


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--interruptions", type=int, default=200)
    parser.add_argument("--coughs", type=int, default=50)
    parser.add_argument("--callers", type=int, default=2, help="calls at the same time")
    parser.add_argument("--hold-ms", type=int, default=700, help="barge_in_hold_ms of the server")
    parser.add_argument("--seed", type=int, default=1)
    show(asyncio.run(run(parser.parse_args())), Console())


if __name__ == "__main__":
    main()
