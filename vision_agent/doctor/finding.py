"""The result of a check."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Status = Literal["ok", "note", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A result of a check; a check may have several.

    Attributes:
        check: What was checked, such as "key".
        status: `ok`; `note` for information; `warning` for what may disturb a call; `problem` for
            what prevents calls.
        text: What was found.
        advice: What to do about it; empty if nothing needs to be done.
    """

    check: str
    status: Status
    text: str
    advice: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return the fields, ready for JSON."""
        return asdict(self)
