"""The base of a suite file's parts: strict models whose errors are sentences."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from vision_agent.live.call_options import CallOptions

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_LONGEST_TEXT = 20_000
_LONGEST_PATH = 400


def wrong(words: str, *path: str | int) -> PydanticCustomError:
    """Make the error of a value; `path` leads to the wrong part of it."""
    return PydanticCustomError("suite", "{words}", {"words": words, "path": path})


def is_there(path: Path) -> bool:
    """Whether a file or folder exists and can be accessed."""
    try:
        return path.exists()
    except OSError:
        return False


def shown(path: Path) -> str:
    """Return a path for an error; a long one is cut in its middle."""
    text = str(path)
    return text if len(text) <= _LONGEST_PATH else f"{text[:150]}…{text[-150:]}"


class Part(BaseModel):
    """A mapping of the file without unknown keys.

    Attributes:
        short: The key of a value that is not a mapping: `tool: look` is `tool: {name: look}`.
        one_of: Keys of which exactly one is given.
    """

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False, extra="forbid")

    short: ClassVar[str] = ""
    one_of: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if isinstance(value, cls):
            return value
        if not isinstance(value, dict):
            if not cls.short or value is None:
                raise wrong(f"has to be a mapping (of {', '.join(cls.keys())})")
            return {cls.short: value}
        known = cls.keys()
        for key in value:
            if key not in known:
                close = difflib.get_close_matches(str(key), known, 1, 0.5)
                hint = f"did you mean '{close[0]}'?" if close else f"known: {', '.join(known)}."
                raise wrong(f"'{key[:80]}' is not known here; {hint}", key)
        # An empty entry counts as absent.
        given = {key: entry for key, entry in value.items() if entry is not None}
        if cls.one_of:
            chosen = [key for key in cls.one_of if key in given]
            if len(chosen) != 1:
                raise wrong(
                    f"needs one of {', '.join(cls.one_of)}"
                    if not chosen
                    else f"{' and '.join(chosen)} can't stand together; use an item for each"
                )
        return given

    @classmethod
    def keys(cls) -> list[str]:
        """Return the keys that the mapping may have."""
        return [field.alias or name for name, field in cls.model_fields.items()]

    @classmethod
    def read(cls, value: Any, folder: Path) -> Self:
        """Check a value; relative paths in it are relative to `folder`."""
        return cls.model_validate(value, context={"folder": folder})


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        raise wrong(f"has to be text; put {str(value).lower()} in quotes")
    return getattr(value, "written", value)


Text = Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=_LONGEST_TEXT)]
"""Words; a number counts as it was written."""


def _one_or_many(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def many(value: Any) -> Any:
    """Make a tuple of a list; the field checks the items' type."""
    if not isinstance(value, list | tuple):
        raise wrong("has to be a list")
    return tuple(value)


def _searchable(value: str) -> str:
    if not any(map(str.isalnum, value)):
        raise wrong("has to hold words to look for")
    return value


def _phrase(value: Any) -> str:
    value = _text(value)
    if not isinstance(value, str) or not any(map(str.isalnum, value)):
        raise wrong("has to hold words to look for")
    return value


Phrases = Annotated[
    tuple[Annotated[str, BeforeValidator(_phrase), Field(max_length=_LONGEST_TEXT)], ...],
    BeforeValidator(_one_or_many),
    Field(max_length=1000),
]
"""Phrases to look for; a single one needs no list."""


def with_variables(value: Any) -> Any:
    """Replace `${NAME}` by the environment's variable of that name."""

    def found(match: re.Match[str]) -> str:
        name = match[1]
        if name not in os.environ:
            raise wrong(f"the environment has no variable {name}")
        return os.environ[name]

    return _VARIABLE.sub(found, value) if isinstance(value, str) else value


Secret = Annotated[str, BeforeValidator(with_variables), Field(min_length=1)]
"""A text in which `${NAME}` stands for a variable of the environment."""


def path_of(value: Any, info: ValidationInfo) -> Path:
    """Return the path that a text names, from the suite's folder."""
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise wrong("has to be the path of a file")
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / Path(value).expanduser()


def _file(value: Any, info: ValidationInfo) -> Path:
    path = path_of(value, info)
    if not is_there(path) or not path.is_file():
        raise wrong(f"there is no file {shown(path)}")
    return path


File = Annotated[Path, BeforeValidator(_file)]
"""A file that exists; relative to the suite file."""

_OPTIONS = {"agent", "user", "resume", "record", "record_consent", *CallOptions.model_fields}
_OPTIONS |= set(map(to_camel, _OPTIONS))


def _options(value: Any) -> Any:
    for name in value if isinstance(value, dict) else ():
        # A server ignores unknown names, because clients send data of their own.
        if name not in _OPTIONS:
            close = difflib.get_close_matches(name, _OPTIONS, 1)
            hint = f"; did you mean '{close[0]}'?" if close else ""
            raise wrong(f"a call has no option '{name[:80]}'{hint}", name)
    return value


Options = Annotated[dict[str, Any], BeforeValidator(_options)]
"""Options of a call by their names (docs/options.md); the server checks their values."""

_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2}(?:\.\d+)?)")


def _seconds(value: Any) -> float:
    if isinstance(value, str) and (found := _CLOCK.fullmatch(value)):
        hours, minutes, seconds = found.groups()
        return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e6:
        return float(value)
    raise wrong("has to be seconds, or a time such as 01:20")


Moment = Annotated[float, BeforeValidator(_seconds)]
"""A time in a recording, in seconds; `01:20` is 80."""
