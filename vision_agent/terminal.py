"""The terminal of the person who runs a command: prints text, never control sequences from outside.

Transcripts, the names of agents and tools and the errors of other programs come from elsewhere. An
escape sequence in them could rewrite the screen, set the window's title or type for the person; a
bidirectional control could reorder a line (CWE-150, CVE-2021-42574).
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

_logger = logging.getLogger(__name__)

# The bidirectional controls and marks, which reorder the text around them.
_BIDIRECTIONAL = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# Control characters, unpaired surrogates (no UTF-8), line and paragraph separators.
_CATEGORIES = ("Cc", "Cs", "Zl", "Zp")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    """Replace every character that a terminal would obey; tabs and newlines stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_REPLACEMENT if _is_obeyed(char) else char for char in text)


def one_line(text: object) -> str:
    """Make one printable line of a text, so that it can't imitate further lines of output."""
    return printable(" ".join(str(text).split()))


def _is_obeyed(char: str) -> bool:
    if char in "\t\n":
        return False
    return char in _BIDIRECTIONAL or unicodedata.category(char) in _CATEGORIES


class CannotPrint(Exception):
    """The output can't be written; the text says why."""


class Terminal(Console):
    """A console whose only control sequences are those that rich makes of styles."""

    _is_optional = False

    @contextmanager
    def optional(self, when: bool = True) -> Iterator[None]:
        """Let the command outlive its output: it serves calls, or writes what was asked for.

        Within the context, output that can't be written is logged once and `quiet` is set.
        """
        self._is_optional = when
        try:
            yield
        finally:
            self._is_optional = False

    def _check_buffer(self) -> None:
        """Write what is printed by any way.

        Raises:
            CannotPrint: Nobody reads the output any more, or the disk is full.
        """
        try:
            super()._check_buffer()
        except OSError as error:
            failure = CannotPrint(f"The output can't be written: {error.strerror}.")
            if not self._is_optional:
                raise failure from error
            self.quiet = True
            del self._buffer[:]
            _logger.warning("%s The command goes on without it.", failure)

    def on_broken_pipe(self) -> None:
        """Say so like every other error; rich would end the program."""
        raise  # the BrokenPipeError that rich handles

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Make every text `printable`; rich renders everything through this method."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(printable(text), style)

    def say(self, text: object, style: str = "") -> None:
        """Print a text without markup and without wrapping, which is left to the terminal."""
        self.say_text(Text(str(text), style))

    def say_text(self, text: Text) -> None:
        """Print a styled text without wrapping."""
        self.print(text, soft_wrap=True)
