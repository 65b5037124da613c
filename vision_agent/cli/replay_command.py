"""`vision-agent replay`: a server if there is none, the question's voice, a progress bar."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from vision_agent.local import speak_question
from vision_agent.replay import Recording, ReplayOptions, Report, replay
from vision_agent.server_process import ServerProcess
from vision_agent.terminal import Terminal, one_line

NAMES = {"user": "You", "agent": "Agent"}


@dataclass(frozen=True, slots=True)
class ReplayCommand:
    """What was asked for on the command line.

    Attributes:
        file: The recording.
        say: A sound file to speak; or
        ask: a sentence to speak; or
        typed: a sentence to type. None of them: the recording's own sound.
        serve_arguments: For the server that is started when `url` is None.
        url: A running server.
        token: Its access token.
        headers: Sent with every request besides.
        asked: Options of this call.
        timeout_s: Longest wait for the server.
    """

    file: Path
    say: Path | None
    ask: str | None
    typed: str | None
    serve_arguments: tuple[str, ...]
    url: str | None
    token: str | None
    headers: dict[str, str]
    asked: dict[str, Any]
    timeout_s: float

    async def run(self, console: Terminal) -> Report:
        """Make the call, showing it on the console as it happens.

        Raises:
            BadRecording: The recording or the sound can't be replayed.
            ServerDidNotStart: No server could be started.
        """
        # What can't be replayed is refused before a server is started for it.
        await asyncio.to_thread(Recording.open, self.file)
        async with AsyncExitStack() as stack:
            url = self.url
            if url is None:
                server = await stack.enter_async_context(ServerProcess(*self.serve_arguments))
                url = server.url
                console.say(server.says[1])
            spoken = await speak_question(self.ask) if self.ask else None
            options = ReplayOptions(
                self.file,
                url,
                say=self.say,
                say_pcm=spoken,
                typed=self.typed,
                timeout_s=self.timeout_s,
                token=self.token,
                headers=self.headers,
                asked=self.asked,
            )
            return await self._watched(options, console)

    async def _watched(self, options: ReplayOptions, console: Terminal) -> Report:
        progress = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        bar = progress.add_task("dialling", total=1.0)

        def show_line(who: str, text: str, at_ms: int) -> None:
            name = (f"{NAMES.get(who, who)}:", "bold")
            line = Text.assemble(f"{at_ms / 1000:6.1f} s  ", name, f" {one_line(text)}")
            console.print(line, soft_wrap=True)

        def note(text: str) -> None:
            console.print(Text(text, "dim"), soft_wrap=True)

        with progress:
            return await replay(
                options,
                on_note=note,
                on_progress=lambda part: progress.update(bar, completed=part),
                on_transcript=show_line,
                on_state=lambda state: progress.update(bar, description=state),
            )
