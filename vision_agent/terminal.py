"""The terminal of the person who runs a command: what is printed there is text, never a command.

Transcripts, agents' and tools' names and the errors of other programs come from elsewhere. An
escape sequence among them could rewrite the screen, set the window's title or answer for the
person; a bidirectional control could show a line in another order than it has (CWE-150,
CVE-2021-42574).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

# Other bidirectional controls than the marks would reorder what follows them.
_BIDIRECTIONAL = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# Control characters, unpaired surrogates (no UTF-8), line and paragraph separators.
_CATEGORIES = ("Cc", "Cs", "Zl", "Zp")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    """The text with everything that a terminal would obey replaced; tabs and newlines stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_REPLACEMENT if _is_obeyed(char) else char for char in text)


def one_line(text: object) -> str:
    """The text as one printable line: what looks like a line of ours is one of ours."""
    return printable(" ".join(str(text).split()))


def _is_obeyed(char: str) -> bool:
    if char in "\t\n":
        return False
    return char in _BIDIRECTIONAL or unicodedata.category(char) in _CATEGORIES


class Terminal(Console):
    """A console that prints what rich makes of styles, and nothing else, as control sequences."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Render with every text made `printable`; rich renders everything through here."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(printable(text), style)

    def say(self, text: object, style: str = "") -> None:
        """Print a text as it is: no markup, and no wrapping, which is the terminal's own."""
        self.print(Text(str(text), style), soft_wrap=True)
        # A pipe's reader sees each line when it is said.
        self.file.flush()
