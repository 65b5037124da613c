"""Who calls: the value that travels from the HTTP side to ADK's session. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Self

PASSING = "passing-"
"""Prefix of the user ids of unknown callers; each id belongs to one conversation only."""

MAX_USER_ID_CHARS = 100

_RANDOM_ID = re.compile(r"[0-9a-fA-F]{32,}")
_LEAST_DISTINCT_DIGITS = 8
"""32 random hexadecimal digits have fewer distinct ones once in 26 million."""

GUESSABLE = (
    "Nothing of this call is remembered: the name in requestData.user can be guessed, and whoever "
    "says it would be told what its owner said. Send an id of 32 random hexadecimal digits, such "
    "as crypto.randomUUID() makes, and keep it."
)
NOT_TAKEN = (
    "Nothing of this call is remembered: this server does not take requestData.user, because it "
    "finds out itself who calls. A token for one user (POST /api/tokens) names the caller."
)


class BadName(ValueError):
    """The given value can't name a user; the text says what can."""


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """Who calls.

    Attributes:
        user_id: ADK's `user_id`; empty for an unknown caller, who gets a random one in each new
            conversation.
        proven: Whether the server has found it out: it asked the application around it, a token or
            a login proxy. False where all that is known is what the caller's client says.
        problem: Why the caller stays unknown, as a sentence for them; None if there is no reason.
    """

    user_id: str = ""
    proven: bool = False
    problem: str | None = None

    @classmethod
    def proven_as(cls, user_id: object, what: str = "A user id") -> Self:
        """A caller for whom somebody vouches.

        Args:
            user_id: The id; None or empty for nobody.
            what: What it is called in the error.

        Raises:
            BadName: It is not an id.
        """
        return cls(_checked(user_id, what), proven=True)

    @classmethod
    def claimed(cls, user_id: object) -> Self:
        """A caller for whom nobody vouches, identified by a hash of a random id that they keep.

        A guessable name is a guessable password: whoever claims it would hear what its owner said.

        Args:
            user_id: At least 32 random hexadecimal digits, with or without the dashes of a UUID;
                None or empty for none.

        Raises:
            BadName: It is not text, or too long.
        """
        text = _checked(user_id, "requestData.user")
        if not text:
            return cls()
        digits = text.replace("-", "").lower()
        if not _RANDOM_ID.fullmatch(digits) or len(set(digits)) < _LEAST_DISTINCT_DIGITS:
            return cls(problem=GUESSABLE)
        return cls(key_of(text))

    @classmethod
    def unknown(cls, claimed: object = None) -> Self:
        """An unknown caller of a server that finds out who calls.

        Args:
            claimed: The client's own word about its user, which is reported as a problem.
        """
        return cls(proven=True, problem=NOT_TAKEN if claimed else None)

    def may_continue(self, owner: str) -> bool:
        """Whether the token of a conversation is enough to continue it.

        Args:
            owner: ADK's user whose conversation it is.
        """
        if not self.proven or owner == self.user_id:
            return True
        return not self.user_id and owner.startswith(PASSING)


def _checked(name: object, what: str) -> str:
    if name is None or name == "":
        return ""
    if (
        not isinstance(name, str)
        or len(name) > MAX_USER_ID_CHARS
        or not name.isprintable()
        or name.startswith(PASSING)
    ):
        raise BadName(
            f"{what} is a text of at most {MAX_USER_ID_CHARS} printable characters that does not "
            f"begin with '{PASSING}'."
        )
    return name


def key_of(name: str) -> str:
    """The key of a name that is not to be stored: 32 hexadecimal digits."""
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:32]
