"""How a call is shown: live levels on a terminal, plain lines anywhere else."""

from __future__ import annotations

import math
from typing import Protocol

from rich.console import Group
from rich.live import Live
from rich.text import Text

from vision_agent.caller.observer import CallObserver
from vision_agent.terminal import Terminal, one_line

NAMES = {"user": "You", "agent": "Agent"}
_COLOURS = {"user": "cyan", "agent": "green"}
_BAR_CELLS = 24
_FLOOR_DBFS = -60.0
# How far a bar falls back with each redraw, in cells.
_FALL_CELLS = 2.0


class Screen(CallObserver, Protocol):
    """Shows a call to its caller. Every method is called in the event loop's thread."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class PlainScreen:
    """Prints whole lines, for pipes, files and typed conversations."""

    def __init__(self, console: Terminal) -> None:
        self._console = console

    def state(self, state: str) -> None:
        """Ignored: a line for each change would bury the conversation."""

    def line(self, who: str, text: str) -> None:
        """Print it."""
        self._print(Text.assemble((f"{NAMES.get(who, who)}:", "bold"), f" {one_line(text)}"))

    def partial(self, who: str, text: str) -> None:
        """Ignored: the whole line follows."""

    def level(self, who: str, rms: float) -> None:
        """Ignored."""

    def reply(self, ms: int) -> None:
        """Print it."""
        self._print(Text(f"  (answered after {ms} ms)", "dim"))

    def note(self, text: str) -> None:
        """Print it."""
        self._print(Text(one_line(text), "dim"))

    def close(self) -> None:
        """Nothing to restore."""

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)
        # A pipe's reader sees each line at once.
        self._console.file.flush()


class LiveScreen(PlainScreen):
    """Scrolls the conversation above both levels, the state and the time of the last reply.

    Args:
        console: A terminal.
        keys: The last line, which explains the keys.
    """

    def __init__(self, console: Terminal, keys: str) -> None:
        super().__init__(console)
        self._keys = keys
        self._state = ""
        self._partials = {"user": "", "agent": ""}
        self._bars = {"user": 0.0, "agent": 0.0}
        self._replies: list[int] = []
        self._live = Live(
            console=console, get_renderable=self._render, refresh_per_second=12, transient=True
        )
        self._live.start()

    def state(self, state: str) -> None:
        """Show it from the next redraw on."""
        self._state = state

    def partial(self, who: str, text: str) -> None:
        """Show it from the next redraw on."""
        self._partials[who] = text

    def level(self, who: str, rms: float) -> None:
        """Show it from the next redraw on; a bar jumps up and falls back slowly."""
        self._bars[who] = max(self._bars[who], bar_cells(rms))

    def reply(self, ms: int) -> None:
        """Show it below, with the median of the call."""
        self._replies.append(ms)

    def close(self) -> None:
        """Remove the lower lines."""
        self._live.stop()

    def _render(self) -> Group:
        rows = [
            Text(f"{NAMES[who]}: {one_line(text)}", style=f"italic {_COLOURS[who]}")
            for who, text in self._partials.items()
            if text
        ]
        meters = Text()
        for who, cells in self._bars.items():
            filled = round(cells)
            meters.append(f"{NAMES[who]:>5} ")
            meters.append("█" * filled + "·" * (_BAR_CELLS - filled), style=_COLOURS[who])
            meters.append("  ")
            self._bars[who] = max(0.0, cells - _FALL_CELLS)
        rows.append(meters)
        status = Text(f"{one_line(self._state):<10}", style="bold")
        if self._replies:
            median = sorted(self._replies)[len(self._replies) // 2]
            status.append(f"  last reply after {self._replies[-1]} ms, median {median} ms")
        rows.append(status)
        rows.append(Text(self._keys, style="dim"))
        return Group(*rows)


def bar_cells(rms: float) -> float:
    """Return the length of a level's bar: 0 at -60 dBFS and below, `_BAR_CELLS` at full scale."""
    dbfs = 20 * math.log10(max(rms, 1.0) / 32768)
    return max(0.0, min(1.0, 1 - dbfs / _FLOOR_DBFS)) * _BAR_CELLS
