"""The part of a media file that is used. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

# A file may end this much before its stated length.
_SLACK_S = 1.0
_MOMENT = re.compile(r"(\d{1,3}:)?([0-5]?\d:)[0-5]?\d(\.\d{1,6})?|\d{1,6}(\.\d{1,6})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cut:
    """From when to when, and which track.

    Attributes:
        begin_s: Where it begins, in seconds of the file.
        end_s: Where it ends; infinite for the file's end.
        title: The Matroska title of the track: its times are those of the file. None takes the
            first track of a kind, whose times begin with the first of both kinds.
    """

    begin_s: float = 0.0
    end_s: float = math.inf
    title: str | None = None

    def outside(self, length_s: float) -> str | None:
        """Say why this is no part of a file of the given length; None if it is one.

        Args:
            length_s: In seconds; 0 if it is not known.
        """
        if not 0 <= self.begin_s < self.end_s:
            return f"{clock(self.end_s)} is not after {clock(self.begin_s)}"
        if not length_s:
            return None
        if self.begin_s >= length_s:
            return f"it ends at {clock(length_s)}, before {clock(self.begin_s)}"
        if self.end_s < math.inf and self.end_s > length_s + _SLACK_S:
            return f"it ends at {clock(length_s)}, before {clock(self.end_s)}"
        return None


WHOLE = Cut()


def clock(seconds: float) -> str:
    """A time as a person writes it: `1:20`, `1:20.5`, `1:02:03`."""
    if not math.isfinite(seconds):
        return "the end"
    ms = round(max(0.0, seconds) * 1000)
    minutes, rest = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest / 1000:06.3f}".rstrip("0").removesuffix(".")
    return f"{hours}:{minutes:02}:{text}" if hours else f"{minutes}:{text}"


def moment(text: str) -> float:
    """Read a time as a person writes it: `80`, `80.5`, `1:20`, `01:20.5`, `1:02:03`; in seconds.

    Raises:
        ValueError: The text is not a time; the message says how one is written.
    """
    if not _MOMENT.fullmatch(text.strip()):
        raise ValueError(f"{text!r} is not a time: write seconds, or 01:20, or 1:02:03.5")
    seconds = 0.0
    for part in text.strip().split(":"):
        seconds = 60 * seconds + float(part)
    return seconds
