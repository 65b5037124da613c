"""Identifies callers by a key under which things are kept: a hash, never the name. Pure.

A guessable name is a guessable password: whoever claims it would hear what its owner said in
earlier calls. So a caller for whom nobody vouches is identified by a random id only.
"""

from __future__ import annotations

import hashlib
import re

UNKNOWN = ""
"""The key of a caller who gives no name."""

MAX_NAME_CHARS = 100

_RANDOM_ID = re.compile(r"[0-9a-fA-F]{32,}")
_LEAST_DISTINCT_DIGITS = 8
"""32 random hexadecimal digits have fewer distinct ones once in 26 million."""


class BadName(ValueError):
    """The given value is not a name; the text says what a name is."""


class GuessableName(BadName):
    """The name can be guessed, so it identifies nobody; the text says what would."""


def claimed_caller(name: object, *, vouched: bool) -> str:
    """The key of a caller who gives a name.

    Args:
        name: The name; None or empty for none.
        vouched: Whether the client has sent the server's access token, and so may speak for its
            users. Otherwise the name has to be at least 32 random hexadecimal digits, with or
            without the dashes of a UUID.

    Raises:
        BadName: The value is not a name.
        GuessableName: The name can be guessed: the caller stays unknown.
    """
    if name is None or name == "":
        return UNKNOWN
    text = _checked(name, "requestData.user")
    if not vouched:
        digits = text.replace("-", "").lower()
        if not _RANDOM_ID.fullmatch(digits) or len(set(digits)) < _LEAST_DISTINCT_DIGITS:
            raise GuessableName(
                "Nothing of this call is remembered: the name in requestData.user can be guessed, "
                "and whoever says it would be told what its owner said. Send an id of 32 random "
                "hexadecimal digits, such as crypto.randomUUID() makes, and keep it. Names are "
                "taken from clients with the server's access token, or from a login proxy."
            )
    return key_of(text)


def vouched_caller(name: str) -> str:
    """The key of a caller named by a login proxy; differs from that of the same claimed name.

    Raises:
        BadName: The value is not a name.
    """
    return key_of("header:" + _checked(name, "The proxy's user header"))


def _checked(name: object, what: str) -> str:
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_CHARS or not name.isprintable():
        raise BadName(f"{what} is a name of at most {MAX_NAME_CHARS} printable characters.")
    return name


def key_of(name: str) -> str:
    """The key of a checked name: 32 hexadecimal digits."""
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:32]
