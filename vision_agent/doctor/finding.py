"""What a check found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Status = Literal["ok", "note", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's result.

    Attributes:
        check: What was looked at, e.g. "key".
        status: `ok`; `note` for what is good to know; `warning` for what will disturb some calls;
            `problem` for what keeps calls from working.
        text: What was found.
        advice: What to do about it; empty when nothing is.
    """

    check: str
    status: Status
    text: str
    advice: str = ""

    def to_dict(self) -> dict[str, str]:
        """As JSON takes it."""
        return asdict(self)
