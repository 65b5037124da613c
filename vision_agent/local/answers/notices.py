"""Notices: what an agent's tools tell it while nobody asks.

The product writes them as a user's turn that begins with a mark; the first line may be said as it
stands, the rest tells a language model what to do about it.
"""

from __future__ import annotations

MARK = "[notice]"


def read_notice(text: str) -> str | None:
    """What to tell the caller; None if the text is no notice."""
    first = text.strip().partition("\n")[0]
    return first.removeprefix(MARK).strip() or None if first.startswith(MARK) else None
