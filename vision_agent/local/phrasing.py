"""Observations and tool results as spoken sentences."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from vision_agent.local.sight.observations import Code, Colour, Face, Observations, TextLine

MAX_READ_CHARS = 400
"""Longer text is cut: nobody listens to a page."""

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`two faces`, `one face`, `12 faces`."""
    word = NUMBERS[number] if number < len(NUMBERS) else str(number)
    return f"{word} {noun if number == 1 else plural or noun + 's'}"


def listed(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def unusable(seen: Observations) -> str | None:
    """Why nothing can be told about the picture, if so."""
    quality = seen.quality
    if quality is None:
        return None
    if quality.too_dark:
        return "It is too dark for me to see anything. Some light would help."
    if quality.too_bright:
        return "It is too bright: the picture is washed out."
    return None


def scene(seen: Observations) -> list[str]:
    """What is there at first sight: colours and places."""
    if seen.quality and seen.quality.empty:
        area = f" It is {seen.colour.main}." if seen.colour else ""
        return [f"I see one even area and nothing that stands out.{area}"]
    said = [_colours(seen.colour)] if seen.colour else []
    if seen.quality and seen.quality.blurred:
        said.append("The picture is blurred.")
    return said


def details(seen: Observations) -> list[str]:
    """What is there besides: faces, codes, text."""
    said = []
    if seen.faces:
        said.append(faces(seen.faces))
    if seen.codes:
        said.append(codes(seen.codes))
    if seen.text:
        said.append(f"I can read: {lines(seen.text)}.")
    return said


def colour(found: Colour) -> str:
    """The answer to "what colour is this?"."""
    if not found.stands_out:
        return f"Nothing stands out in the middle; the picture is mostly {found.main}."
    if found.background and found.background != found.main:
        return f"It is {found.main}, before something {found.background}."
    return f"It is {found.main}."


def faces(found: Sequence[Face]) -> str:
    """How many faces, and where."""
    where = listed(list(dict.fromkeys(face.where for face in found)))
    verb = "is" if len(found) == 1 else "are"
    return f"There {verb} {count(len(found), 'face')}, {where}."


def codes(found: Sequence[Code]) -> str:
    """What the codes hold."""
    said = [f"There is a {code.kind} {code.where}. It says: {code.text}." for code in found]
    return " ".join(said)


def lines(found: Sequence[TextLine]) -> str:
    """The text in reading order, cut if it is long."""
    text = ", ".join(line.text for line in found)
    return text if len(text) <= MAX_READ_CHARS else text[:MAX_READ_CHARS].rsplit(" ", 1)[0] + " …"


def tool_result(name: str, response: Mapping[str, Any]) -> str:
    """A tool's answer as a sentence; nothing is added to it."""
    if "error" in response:
        return f"That did not work: {_value(response['error'])}."
    if set(response) == {"result"}:
        return f"The answer is {_value(response['result'])}."
    parts = [f"the {key.replace('_', ' ')} is {_value(value)}" for key, value in response.items()]
    if not parts:
        return f"{name.replace('_', ' ').capitalize()} is done."
    sentence = listed(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.strip().rstrip(".")[:MAX_READ_CHARS]


def _colours(found: Colour) -> str:
    places: dict[str, list[str]] = {}
    if found.stands_out:
        places[found.main] = ["in the middle"]
    for where, name in found.others:
        places.setdefault(name, []).append(where)
    if not places:
        return f"The picture is mostly {found.main}, and nothing stands out."
    parts = [
        f"something {name} {where[0]}" if len(where) == 1 else f"{name} things {listed(where)}"
        for name, where in places.items()
    ]
    ground = f", before something {found.background}" if found.background else ""
    return f"I see {listed(parts)}{ground}."
