"""Reads the values of options as people write them: names, lists, language codes. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

MAX_PHRASES = 100
MAX_PHRASE_CHARS = 100
MAX_LANGUAGES = 20

_LANGUAGE_CODE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


def one_of(option: str, value: object, names: Sequence[str], prefix: str = "") -> str | None:
    """One of several names, in lower case with underscores; None for None.

    Args:
        option: The name of the option, for the error.
        value: The name in any case, with or without the prefix.
        names: The names.
        prefix: What the Live API writes before each of them: `MEDIA_RESOLUTION_`.

    Raises:
        ValueError: It is none of them; the text lists them.
    """
    if value is None:
        return None
    if isinstance(value, str):
        name = re.sub(r"[\s-]+", "_", value.strip().lower()).removeprefix(prefix.lower())
        if name in names:
            return name
        near = difflib.get_close_matches(name, names, n=1)
        hint = f" Nearest: {near[0]}." if near else ""
    else:
        hint = ""
    raise ValueError(f"{option}: {str(value)[:40]!r} is not one of {', '.join(names)}.{hint}")


def language_code(option: str, value: str | None) -> str | None:
    """A BCP-47 code, unchanged; None for None. Raises `ValueError` for anything else."""
    if value is not None and not _LANGUAGE_CODE.fullmatch(value):
        raise ValueError(f"{option}: {value[:40]!r} is not a language code such as en-US or de-DE.")
    return value


def language_codes(option: str, value: object) -> tuple[str, ...]:
    """A list of BCP-47 codes, or one text with commas between them."""
    codes = _texts(option, value)
    if len(codes) > MAX_LANGUAGES:
        raise ValueError(f"{option}: at most {MAX_LANGUAGES} languages, not {len(codes)}.")
    for code in codes:
        language_code(option, code)
    return codes


def phrases(option: str, value: object) -> tuple[str, ...]:
    """A list of words or phrases, or one text with commas between them."""
    found = _texts(option, value)
    if len(found) > MAX_PHRASES:
        raise ValueError(f"{option}: at most {MAX_PHRASES} phrases, not {len(found)}.")
    for phrase in found:
        if len(phrase) > MAX_PHRASE_CHARS or not phrase.isprintable():
            raise ValueError(
                f"{option}: a phrase has at most {MAX_PHRASE_CHARS} printable characters; "
                f"{phrase[:20]!r}… has {len(phrase)}."
            )
    return found


def _texts(option: str, value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise ValueError(f"{option}: a list of texts is expected.")
    return tuple(dict.fromkeys(item.strip() for item in items if item.strip()))
