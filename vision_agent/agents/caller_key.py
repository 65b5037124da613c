"""Who calls, as a key under which things are kept: a hash, never the name itself. Pure.

A name that can be guessed is a password that can be guessed: whoever says it would be told what
its owner said in earlier calls. So a caller who is vouched for by nobody is known by an id that
only chance can make.
"""

from __future__ import annotations

import hashlib
import re

UNKNOWN = ""
"""The key of a caller who does not say who they are."""

MAX_NAME_CHARS = 100

_RANDOM_ID = re.compile(r"[0-9a-fA-F]{32,}")
_LEAST_DISTINCT_DIGITS = 8
"""Of 32 random hexadecimal digits, fewer than that are distinct once in 26 million."""


class BadName(ValueError):
    """What is said is no name at all; the text says what is one."""


class GuessableName(BadName):
    """Nobody is to be known by that name; the text says why, and what would do."""


def claimed_caller(name: object, *, vouched: bool) -> str:
    """The key of a caller who says who they are.

    Args:
        name: What they say; None or empty for nothing.
        vouched: Whether the client has shown the server's access token, and so may speak for its
            users. Otherwise the name has to be 32 random hexadecimal digits or more, with or
            without the dashes of a UUID.

    Raises:
        BadName: It is no name.
        GuessableName: It is not one that proves anything: whoever says it is still unknown.
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
    """The key of a caller whom a login proxy names: another one than for the same claimed name.

    Raises:
        BadName: It is no name.
    """
    return key_of("header:" + _checked(name, "The proxy's user header"))


def _checked(name: object, what: str) -> str:
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_CHARS or not name.isprintable():
        raise BadName(f"{what} is a name of at most {MAX_NAME_CHARS} printable characters.")
    return name


def key_of(name: str) -> str:
    """The key of a checked name: 32 hexadecimal digits."""
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:32]
