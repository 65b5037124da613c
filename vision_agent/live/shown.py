"""What a caller shows besides a camera, and how a model is told which picture is which. Pure.

`realtimeInput.video` takes a picture without any words. Words sent as `clientContent` would be a
turn, or part of one: reported by their users, they interrupt the answer on 2.5, and speech after
unfinished content was not answered (google-gemini/live-api-web-console#60). So the stream says it
in a picture (`notice_frames`), and a content in words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from google.genai import types

from vision_agent.jpeg import with_comment

FrameSource = Literal["camera", "screen", "picture"]
"""Where a frame is from: the caller's camera, their shared screen, or a picture they have sent."""

FRAME_MIME = "image/jpeg"

MARKS: dict[FrameSource, bytes] = {"screen": b"[frame] screen", "picture": b"[frame] picture"}
"""JPEG comments by which programs tell frames apart, such as the local Live API."""

_LABEL = re.compile(r"\(The next picture [^\n]{1,300}:\)")


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture in a content.

    Attributes:
        jpeg: The file.
        source: Where it is from.
        name: What the caller calls a picture that they have sent; may be empty.
    """

    jpeg: bytes
    source: FrameSource = "camera"
    name: str = ""


def marked(jpeg: bytes, source: FrameSource) -> bytes:
    """The file with its source in a comment; a camera's frame stays as it is."""
    mark = MARKS.get(source)
    return jpeg if mark is None else with_comment(jpeg, mark)


def as_parts(shown: Sequence[Shown]) -> list[types.Part]:
    """Pictures as parts of a content, each after its label if not all are from the camera."""
    labelled = any(each.source != "camera" for each in shown)
    parts: list[types.Part] = []
    for each in shown:
        if labelled:
            parts.append(types.Part(text=_label(each)))
        blob = types.Blob(data=each.jpeg, mime_type=FRAME_MIME)
        parts.append(types.Part(inline_data=blob))
    return parts


def is_label(part: types.Part) -> bool:
    """Whether a part only says what the picture after it is; without it, it says nothing."""
    return part.text is not None and _LABEL.fullmatch(part.text) is not None


def _label(shown: Shown) -> str:
    match shown.source:
        case "camera":
            return "(The next picture is what my camera shows:)"
        case "screen":
            return "(The next picture is my shared screen:)"
        case "picture":
            named = f", called {shown.name}" if shown.name else ""
            return f"(The next picture is one that I have sent for this question{named}:)"
