"""What one version of google-genai can send and read, compared with what the local Live API knows.

Runs under each major version: `python -m tests.local.api.sdk_types` prints a `Comparison` as JSON.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from google.genai import _live_converters, types
from pydantic import BaseModel

from tests.local.api.field_table import fields
from vision_agent.local.api.schema import ENUMS, MESSAGES, ROOT
from vision_agent.local.api.schema_validation import snake_case


@dataclass
class Comparison:
    """One sentence for each difference.

    Attributes:
        unknown: What a client can send, but the server does not know.
        absent: What the server knows, but no client of this version sends.
        other_service: Fields of a single service on which client and server disagree.
        unnamed: What a client of this version reads, but the page does not name.
        compared: The messages that were compared.
    """

    unknown: list[str] = dataclasses.field(default_factory=list)
    absent: list[str] = dataclasses.field(default_factory=list)
    other_service: list[str] = dataclasses.field(default_factory=list)
    unnamed: list[str] = dataclasses.field(default_factory=list)
    compared: list[str] = dataclasses.field(default_factory=list)


def comparison() -> Comparison:
    found = Comparison(other_service=other_service())
    compare(types.LiveClientMessage, ROOT, "message", found)
    found.unnamed = missing_from_page(types.LiveServerMessage, of_google_genai)
    return found


def parts_of(annotation: Any) -> list[Any]:
    """The classes in a type annotation; of a union with `Content`, only `Content`."""
    if typing.get_origin(annotation) in (typing.Annotated,):
        return parts_of(typing.get_args(annotation)[0])
    if annotation is list:
        # google-genai annotates lists of tools like this, and checks them by itself.
        return [types.Tool]
    if not typing.get_args(annotation):
        return [annotation]
    found = [part for inner in typing.get_args(annotation) for part in parts_of(inner)]
    # The client takes shorthands (a string, a file, a part), and sends them as content.
    return [types.Content] if types.Content in found else found


def compare(model: type[BaseModel], message: str, where: str, found: Comparison) -> None:
    """Note the differences between a class of google-genai and a message here, recursively."""
    if message in found.compared:
        return
    found.compared.append(message)
    fields = dict(model.model_fields)
    if model is types.LiveClientSetup:
        # A client sends this field of LiveConnectConfig, though the message's class lacks it.
        fields["realtime_input_config"] = types.LiveConnectConfig.model_fields[
            "realtime_input_config"
        ]
    theirs = {snake_case(name): field for name, field in fields.items()}
    ours = MESSAGES[message]
    found.unknown += [
        f"google-genai's {model.__name__}.{name} ({where}) is unknown to the local Live API: "
        "add it to schema.py, and to the table of docs/local-live-api.md."
        for name in theirs.keys() - ours.keys()
    ]
    found.absent += [f"{message}.{name}" for name in ours.keys() - theirs.keys()]
    for name in theirs.keys() & ours.keys():
        inner = ours[name].type
        for part in parts_of(theirs[name].annotation):
            if inner in MESSAGES and isinstance(part, type) and issubclass(part, BaseModel):
                compare(part, inner, f"{where}.{name}", found)
            elif inner in ENUMS and isinstance(part, type) and issubclass(part, Enum):
                values = {member.value for member in part}
                found.unknown += [
                    f"{value} of {where}.{name} is unknown to the local Live API"
                    for value in values - ENUMS[inner]
                ]
                found.absent += [f"{inner} {value}" for value in ENUMS[inner] - values]


def other_service() -> list[str]:
    """Fields that google-genai refuses for a service which knows them here, or the reverse."""
    by_class: dict[str, str] = {}
    source = re.sub(r"'\s*'", "", inspect.getsource(_live_converters))
    refused: set[tuple[str, str, str]] = set()
    for function in re.split(r"(?m)^def ", source)[1:]:
        match = re.match(r"_(\w+)_to_(mldev|vertex)", function)
        if match is None:
            continue
        for name in re.findall(r"'(\w+) parameter is only supported", function):
            only = "vertex" if match[2] == "mldev" else "studio"
            refused.add((match[1], name, only))

    def walk(model: type[BaseModel], message: str) -> None:
        if by_class.setdefault(model.__name__, message) != message or message in walked:
            return
        walked.add(message)
        for name, field in model.model_fields.items():
            inner = MESSAGES[message].get(snake_case(name))
            for part in parts_of(field.annotation):
                if inner and inner.type in MESSAGES and hasattr(part, "model_fields"):
                    walk(part, inner.type)

    walked: set[str] = set()
    walk(types.LiveClientMessage, ROOT)
    theirs = {(by_class[a], b, c) for a, b, c in refused if a in by_class}
    # `send_realtime_input` can send it on Vertex, because it bypasses that converter.
    theirs.discard(("BidiGenerateContentRealtimeInput", "audio_stream_end", "studio"))
    ours = {
        (message, name, field.only)
        for message, fields in MESSAGES.items()
        for name, field in fields.items()
        # AI Studio's newest fields depend on the API version, which the client does not look at.
        if field.only in ("vertex", "studio")
    }
    return [".".join(each) for each in sorted(ours ^ theirs)]


def missing_from_page(
    root: Any, fields_of: Callable[[Any], dict[str, tuple[list[Any], bool]]]
) -> list[str]:
    """The fields of a message that the page does not name, except inside unsupported ones.

    The page has to describe a kind of message at one of the places where it occurs.

    Args:
        root: The kind of message to begin with.
        fields_of: For each field of a kind, the kinds of message in it, and whether it repeats.
    """
    verdicts = {row.path: row.verdict for row in fields()}
    places: dict[Any, list[str]] = {root: [""]}
    todo = [(root, "")]
    for kind, prefix in todo:
        for name, (inner_kinds, repeated) in fields_of(kind).items():
            if verdicts.get(prefix + name, "" if prefix else "sent") not in ("sent", "supported"):
                continue
            for inner in inner_kinds:
                place = f"{prefix}{name}{'[]' if repeated else ''}."
                if inner not in places:
                    places[inner] = []
                if len(places[inner]) < 4:
                    places[inner].append(place)
                    todo.append((inner, place))
    missing = []
    for kind, prefixes in places.items():
        here = {prefix: [prefix + n for n in fields_of(kind)] for prefix in prefixes}
        unnamed = [[path for path in paths if path not in verdicts] for paths in here.values()]
        missing += min(unnamed, key=len)
    return missing


def of_google_genai(model: type[BaseModel]) -> dict[str, tuple[list[type[BaseModel]], bool]]:
    return {
        WIRE_NAMES.get(name, camel(name)): (
            inner_models(about.annotation),
            "list[" in str(about.annotation).lower(),
        )
        for name, about in model.model_fields.items()
    }


WIRE_NAMES = {"voice_activity_type": "type"}
"""Names on the wire of fields that google-genai names differently."""


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def inner_models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and not issubclass(annotation, Enum):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for part in typing.get_args(annotation) for model in inner_models(part)]


if __name__ == "__main__":
    print(json.dumps(dataclasses.asdict(comparison())))
