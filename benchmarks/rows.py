"""The rows of the comparison: which server does which job for which sender."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
RECORDINGS = HERE.parent / "samples" / "recordings"
UNLIMITED_FPS, PAGE_FPS = 30, 2


@dataclass(frozen=True, slots=True)
class Row:
    """One server under one load.

    Attributes:
        name: For `--only` and the JSON.
        title: For people.
        command: How to start the server; "{port}" is replaced.
        fps: What the sender sends: 30 like any camera, 2 like a sender limited by our page.
        job: "talk" or "echo" with the stub, "speech" with the product.
        calls: The number of callers at the same time.
        offer_path: Where the offer goes.
        ready_path: What answers once the server is ready.
        burst_every_s: The time between two bursts or questions of the caller.
        say: The sound file of a "speech" job.
    """

    name: str
    title: str
    command: tuple[str, ...]
    fps: int
    job: str = "talk"
    calls: int = 1
    offer_path: str = "/offer"
    ready_path: str = "/stats"
    burst_every_s: float = 2.0
    say: Path | None = None


def all_rows(calls: int, fastrtc_python: str | None, question: Path) -> list[Row]:
    """Return the rows in the order of their measurement, rivals side by side."""
    rows = []
    servers = {"media": "our media path", "floor": "bare aiortc"}
    for fps in (UNLIMITED_FPS, PAGE_FPS):
        rows += [
            Row(f"{name}{fps}", f"{title}, {fps} fps", _script(f"{name}_server.py"), fps)
            for name, title in servers.items()
        ]
        if fastrtc_python and fps == UNLIMITED_FPS:
            command = _script("fastrtc_server.py", python=fastrtc_python)
            path = "/webrtc/offer"
            rows.append(Row("fastrtc30", "FastRTC's demo, 30 fps", command, fps, offer_path=path))
    rows.append(
        Row(
            f"own{UNLIMITED_FPS}",
            f"our media path, {UNLIMITED_FPS} fps, a port for each call",
            _script("media_server.py", "--own-ports"),
            UNLIMITED_FPS,
        )
    )
    rows += [
        Row(
            f"{name}-echo",
            f"{title}, 30 fps, echo",
            _script(f"{name}_server.py", "--job=echo"),
            UNLIMITED_FPS,
            job="echo",
            burst_every_s=1.0,
        )
        for name, title in servers.items()
    ]
    if calls > 1:
        rows += [
            Row(
                f"{name}{PAGE_FPS}x{calls}",
                f"{title}, {PAGE_FPS} fps",
                _script(f"{name}_server.py"),
                PAGE_FPS,
                calls=calls,
            )
            for name, title in servers.items()
        ]
    serve = (sys.executable, "-m", "vision_agent", "serve", "--model=local", "--port={port}")
    record = f"--record={question.parent / 'calls'}"
    rows += [
        Row(
            name,
            title,
            command,
            fps,
            job="speech",
            offer_path="/api/offer",
            ready_path="/api/info",
            burst_every_s=10.0,
            say=question,
        )
        for name, title, command, fps in (
            ("product30", "vision-agent serve, 30 fps", serve, UNLIMITED_FPS),
            ("record30", "vision-agent serve --record, 30 fps", (*serve, record), UNLIMITED_FPS),
            ("product2", "vision-agent serve, 2 fps", serve, PAGE_FPS),
        )
    ]
    return rows


def _script(name: str, *arguments: str, python: str = sys.executable) -> tuple[str, ...]:
    return (python, str(HERE / name), "--port={port}", *arguments)
