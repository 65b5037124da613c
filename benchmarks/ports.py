"""What one UDP port for all calls costs against a port for each, with many calls at a time.

    python benchmarks/ports.py --calls 20 --seconds 8 --rounds 5

A round measures both, each with a new media_server.py; all callers are in one process. Ratios are
taken within a round, medians over the rounds. As root, the processes have priority over all others
(SCHED_RR), because other work of the machine would delay their timers.

  CPU       of the server's process, in ms for each second of a call
  late p50, p99, worst
            how late packets of the voice are sent, in ms; all calls together
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import sys
import urllib.request
from typing import Any

from caller import post
from processes import Server
from rows import HERE
from stub import only_loopback

from vision_agent.rtc import Speaker, aiortc_patches
from vision_agent.rtc.own.aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)

KINDS = {"one port": (), "ports of their own": ("--own-ports",)}
SETTLE_S = 2.0


class Caller:
    """A call whose microphone sends silence; it decodes the agent's voice and drops it."""

    def __init__(self) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.pc.addTrack(Speaker())
        self.pc.on("track", self._on_track)

    async def dial(self, url: str) -> None:
        """Call; returns once it is connected."""
        connected = asyncio.Event()
        self.pc.on(
            "connectionstatechange",
            lambda: self.pc.connectionState == "connected" and connected.set(),
        )
        await self.pc.setLocalDescription(await self.pc.createOffer())
        offer = {"sdp": self.pc.localDescription.sdp, "type": "offer"}
        answer = await asyncio.to_thread(post, f"{url}/offer", offer)
        await self.pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
        await asyncio.wait_for(connected.wait(), 30)

    def _on_track(self, track: MediaStreamTrack) -> None:
        receiver = next(each for each in self.pc.getReceivers() if each.track is track)
        aiortc_patches.attach_decoder_queue(receiver)


def late_ms(url: str) -> list[float]:
    """How late the server's voices were since the last request."""
    with urllib.request.urlopen(f"{url}/late_ms", timeout=20) as response:
        found: list[float] = json.load(response)
        return found


async def measure(arguments: tuple[str, ...], calls: int, seconds: float) -> dict[str, Any]:
    """Measure one server with all of its calls."""
    command = (sys.executable, str(HERE / "media_server.py"), "--port={port}", *arguments)
    async with Server(command, "/stats") as server:
        callers = [Caller() for _ in range(calls)]
        for caller in callers:
            await caller.dial(server.url)
        await asyncio.sleep(SETTLE_S)
        await asyncio.to_thread(late_ms, server.url)
        before = server.usage()
        await asyncio.sleep(seconds)
        after = server.usage()
        p50, p99, worst = await asyncio.to_thread(late_ms, server.url)
        await asyncio.gather(*(caller.pc.close() for caller in callers))
    cpu_ms = 1000 * (after.own_cpu_s - before.own_cpu_s)
    return {"CPU": cpu_ms / seconds / calls, "late p50": p50, "late p99": p99, "late worst": worst}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    only_loopback()
    aiortc_patches.install()
    with contextlib.suppress(AttributeError, PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    rounds: list[dict[str, dict[str, float]]] = []
    for number in range(args.rounds):
        # In turn, so that no kind is always the first.
        kinds = list(KINDS)[:: 1 if number % 2 else -1]
        found = {
            kind: asyncio.run(measure(KINDS[kind], args.calls, args.seconds)) for kind in kinds
        }
        rounds.append({kind: found[kind] for kind in KINDS})
        print(json.dumps(rounds[-1]), flush=True)
    one, own = KINDS
    for figure in rounds[0][one]:
        of_one, of_own = ([each[kind][figure] for each in rounds] for kind in (one, own))
        ratio = statistics.median(a / b for a, b in zip(of_one, of_own, strict=True))
        medians = f"{statistics.median(of_one):8.2f} {statistics.median(of_own):8.2f}"
        print(f"{figure:12} {medians}   ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
