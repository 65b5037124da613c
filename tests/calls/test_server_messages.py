"""The server's own messages, and the page of docs that lists them."""

import re
from dataclasses import fields
from pathlib import Path

from vision_agent.calls.server_messages import (
    FrameMessage,
    ServerMessage,
    StateMessage,
    TurnCompleteMessage,
)

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol.md"


def documented() -> dict[str, list[str]]:
    """The fields of each kind in the table of server messages."""
    table = PROTOCOL.read_text().split("| `kind` | fields | |")[1].split("\n\n")[0]
    rows = [row.split(" | ", 2) for row in table.splitlines() if row.startswith("| `")]
    return {row[0].strip("| `"): re.findall(r"`(\w+)`", row[1]) for row in rows}


def test_the_page_of_docs_lists_exactly_the_fields_of_every_message():
    messages = ServerMessage.__subclasses__()
    assert documented() == {each.kind: [field.name for field in fields(each)] for each in messages}


def test_a_messages_attributes_are_its_fields_on_the_wire():
    assert TurnCompleteMessage(True).data() == {"kind": "turn_complete", "goes_on": True}
    assert FrameMessage(bytes=30_000, width=768, height=432, age_ms=80, source="camera").data() == {
        "kind": "frame",
        "bytes": 30_000,
        "width": 768,
        "height": 432,
        "age_ms": 80,
        "source": "camera",
    }


def test_only_the_end_of_a_call_says_whether_to_come_back():
    assert StateMessage("listening").data() == {
        "kind": "state",
        "state": "listening",
        "reason": None,
    }
    ended = StateMessage("ended", "the server is restarting", come_back=True).data()
    assert ended["come_back"] is True
