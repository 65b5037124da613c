"""What this emulator knows of ADK, the client it is called by most.

ADK puts sentences of its own into instructions, contents and results of tools. The protocol does
not define them; each is copied from ADK's source, and stands here and nowhere else.
"""

from __future__ import annotations

_CONTEXT_MARK = "For context:"

_ANSWER_PLEASE = "."


def is_context(text: str) -> bool:
    """Whether the user's words are what another agent said, and no question."""
    return text.startswith(_CONTEXT_MARK)


def asks_for_answer(text: str) -> bool:
    """Whether real-time text only asks for the answer to what was said before.

    ADK sends it to a 3.x model after a history that ends with a question.
    """
    return text.strip() in ("", _ANSWER_PLEASE)
