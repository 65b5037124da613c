"""Observations and tool results as spoken sentences."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from vision_agent.local.answers.tool_words import split_name
from vision_agent.local.sight import (
    Box,
    Code,
    Colour,
    Count,
    Face,
    Known,
    Movement,
    Observations,
    TaughtThing,
    TextLine,
)
from vision_agent.local.sight.places import spot

MOST_PLACES = 3

MOST_DETAILS = 2
"""Sentences after the first about what is seen: who wants more asks for it."""

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


def scene(seen: Observations, taught: Sequence[TaughtThing] = ()) -> list[str]:
    """What is there at first sight: known things, or else colours and places."""
    if seen.quality and seen.quality.empty:
        area = f" It is {seen.colour.main}." if seen.colour else ""
        return [f"I see one even area and nothing that stands out.{area}"]
    said = [_colours(seen.colour)] if seen.colour else []
    if seen.known:
        said = [in_view(seen.known, taught)]
    if seen.quality and seen.quality.blurred:
        said.append("The picture is blurred.")
    return said


def besides(seen: Observations) -> list[str]:
    """What is alike, if that is more than the known things that were told of."""
    told = max(1, len(seen.known or ()))
    return [f"There are {alike(seen.count)}."] if seen.count and seen.count.sure > told else []


def details(seen: Observations) -> list[str]:
    """What is there besides: faces, movement, codes, text."""
    said = []
    if seen.movement and seen.movement.moving and not seen.movement.just_before:
        said.append(moving(seen.movement))
    if seen.faces:
        said.append(faces(seen.faces))
    if seen.codes:
        said.append(codes(seen.codes))
    if seen.text:
        said.append(f"I can read: {lines(seen.text)}.")
    return said


def in_view(found: Sequence[Known], taught: Sequence[TaughtThing]) -> str:
    """The taught things among all that is seen: `I see your mug on the left`."""
    if not found[0].sure:
        return recognised(found, taught)
    called = {thing.name: thing.called for thing in taught}
    return f"I see {listed([f'{called[known.name]} {spot(known.box)}' for known in found])}."


def recognised(found: Sequence[Known], taught: Sequence[TaughtThing]) -> str:
    """Which taught things are there."""
    called = {thing.name: thing.called for thing in taught}
    names = [called.get(known.name, known.name) for known in found]
    if not found[0].sure:
        return f"It looks like {names[0]}, but I'm not sure."
    if len(found) == 1:
        return f"That is {names[0]}, {spot(found[0].box)}."
    return in_view(found, taught)


def alike(found: Count) -> str:
    """`three light blue things that look alike`."""
    more = ""
    if found.perhaps:
        more = f", and perhaps {count(found.perhaps, 'more', 'more')}, cut off or partly hidden"
    return f"{count(found.sure, f'{found.colour} thing')} that look alike{more}"


def counted(found: Count, things: str) -> list[str]:
    """The answer to "how many things do you see?".

    Args:
        found: The count.
        things: What was asked for; nothing here knows what a bottle is.
    """
    if found.busy:
        return ["There is too much in the picture for me to count. A plain background would help."]
    if not found.sure:
        return ["I see nothing that stands out, so there is nothing to count."]
    all_together = found.sure + found.others
    if found.sure > 1:
        said = [f"I count {alike(found)}."]
        if found.others > found.perhaps:
            others = found.others - found.perhaps
            verb = "stands" if others == 1 else "stand"
            said.append(f"Besides, {count(others, 'other thing')} {verb} out.")
    elif all_together > 1 and not found.perhaps:
        said = [f"I count {count(all_together, 'thing')}, no two of them alike."]
    else:
        said = [f"I count {count(1, f'{found.colour} thing')}."]
        if found.perhaps:
            more = count(found.perhaps, "more", "more")
            said = [f"{said[0][:-1]}, and perhaps {more}, cut off or partly hidden."]
    if things and things not in ("things", "objects", "of them"):
        said.append(f"Whether they are {things} I can't tell.")
    return said


def moving(found: Movement) -> str:
    """The answer to "is anything moving?"."""
    if not found.over_s:
        return "I need a second picture to tell. Ask me again in a moment."
    if found.camera:
        return "The whole picture moves: I think the camera does."
    if not found.moving:
        return "Nothing moves."
    what = f"Something {found.what}" if found.what else "Something"
    where = f" {listed(found.where)}" if found.where else ""
    if found.just_before:
        way = f", {found.way}" if found.way else ""
        return f"{what} moved{where} a moment ago{way}; now it is still."
    if found.way:
        return f"{what} is moving {found.way}{',' if where else ''}{where}."
    return f"{what} is moving{where}."


def located(name: str, boxes: Sequence[Box], caveat: str = "") -> list[str]:
    """The answer to "where is it?"."""
    if len(boxes) == 1:
        return [f"I see {name} {spot(boxes[0])}.", *([caveat] if caveat else [])]
    places = list(dict.fromkeys(spot(box) for box in boxes[:MOST_PLACES]))
    return [f"I see {name} {listed(places)}.", *([caveat] if caveat else [])]


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


_TELLING = ("message", "result", "output", "response", "answer", "text", "summary")
"""Fields of a tool's answer that hold what is to be said, if there is nothing else to say."""

_DONE = frozenset({"ok", "okay", "success", "succeeded", "done", "true", "accepted", "pending"})

_SILENT = frozenset({"id", "call_id", "function_call_id", "timestamp", "status_code"})


def tool_result(name: str, response: Mapping[str, Any]) -> str:
    """A tool's answer as a sentence; nothing is added to it."""
    if "error" in response:
        return f"That did not work: {_value(response['error'])}."
    told = {
        key: value
        for key, value in response.items()
        if value not in (None, "", [], {}) and key.lower() not in _SILENT
    }
    done = f"{name.replace('_', ' ').capitalize()} is done."
    status = str(told.get("status", "")).strip()
    if _is_sentence(status):
        return _to_the_caller(_told(status))
    if status.lower() in _DONE:
        del told["status"]
    if not told:
        return _nothing(response) if response and not status else done
    if len(told) == 1:
        key, value = next(iter(told.items()))
        if key.lower() in _TELLING:
            return _to_the_caller(_told(value))
        if isinstance(value, list) and key.endswith("ed"):
            return f"{key.replace('_', ' ').capitalize()}: {_value(value)}."
    if "memories" in told:
        return memories(told["memories"])
    parts = [f"the {_words(key)} {_is_or_are(key)} {_value(value)}" for key, value in told.items()]
    sentence = listed(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


_SINGULAR_IN_S = ("ss", "us", "is", "news", "series", "lens")


def _words(key: str) -> str:
    return " ".join(split_name(key))


def _is_or_are(key: str) -> str:
    """The verb that goes with a field's name: "the opening hours are", "the address is"."""
    last = (split_name(key) or [""])[-1]
    return "are" if last.endswith("s") and not last.endswith(_SINGULAR_IN_S) else "is"


def memories(found: Any) -> str:
    """What ADK's memory gave back: the texts of its entries."""
    texts = []
    for entry in found if isinstance(found, list) else ():
        content = entry.get("content") if isinstance(entry, Mapping) else None
        for part in (content or {}).get("parts") or () if isinstance(content, Mapping) else ():
            if isinstance(part, Mapping) and part.get("text"):
                texts.append(f"“{_value(part['text'])}”")
    return f"I remember: {listed(texts[:MOST_PLACES])}." if texts else "I remember nothing of it."


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes." if value else "No."
    text = _value(value)
    if isinstance(value, str) and _is_sentence(text):  # said as it is
        return text if text.endswith(("!", "?")) else f"{text}."
    return f"The answer is {text}."


def _is_sentence(text: str) -> bool:
    return text[:1].isupper() and len(text.split()) > 2


_YOURS = {"sees": "see", "is": "are", "has": "have", "was": "were", "does": "do"}


def _to_the_caller(text: str) -> str:
    """What a tool says of "the caller" is said to the caller."""

    def you(found: re.Match[str]) -> str:
        pronoun = "You" if found[1] == "T" else "you"
        return f"{pronoun} {_YOURS.get(found[2], found[2])}"

    said = re.sub(r"\b([Tt])he (?:caller|user) (\w+)", you, text)
    # The tool was called with the caller's own words.
    return re.sub(r"\bmy\b", "your", said)


def _nothing(response: Mapping[str, Any]) -> str:
    key = next(iter(response))
    return f"Nothing was {key.replace('_', ' ')}." if key.endswith("ed") else "I found nothing."


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return listed([_value(item) for item in value])[:MAX_READ_CHARS]
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
    return f"I see {listed(parts)}{_ground(found)}."


def _ground(found: Colour) -> str:
    return f", before something {found.background}" if found.background else ""
