"""Ephemeral tokens: what a client may do with one, for how long, and what it locks. Pure.

What is known of them was measured by users of the service in August and September 2026 and is in
docs/local-live-api.md; the defaults are documented.
"""

from __future__ import annotations

import json
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from vision_agent.local.api.credentials import PREFIX
from vision_agent.local.api.endpoint import Endpoint
from vision_agent.local.api.json_fields import (
    Refused,
    as_count,
    as_object,
    as_text,
    field,
    invalid,
    load,
    unknown_name,
)
from vision_agent.local.api.schema_validation import check_message, snake_case

MAX_TOKENS = 256
"""Tokens kept; beyond it the oldest is forgotten."""

LONGEST = timedelta(hours=20)
_LASTS = timedelta(minutes=30)
_FIRST_USED_WITHIN = timedelta(seconds=60)

_INTERNAL_ERROR = 1011
_DEEPEST = 16
"""Dots in a path of a field mask: no field lies deeper in a setup."""
_FIELDS = {"expire_time", "new_session_expire_time", "uses", "bidi_generate_content_setup"}


@dataclass(slots=True)
class AuthToken:
    """One token.

    Attributes:
        expires: When it is worth nothing any more; a session that it opened ends then.
        opens_until: Until when it opens sessions. Later it resumes those that there are.
        uses: How many sessions it may still open; None for any number.
        setup: The setup that it brings, as JSON, or "" for none.
        mask: Which fields of that setup are locked; all, if there is a setup and no mask.
    """

    expires: datetime
    opens_until: datetime
    uses: int | None
    setup: str = ""
    mask: tuple[str, ...] = ()


class AuthTokens:
    """The tokens of one server, in memory. The time is an argument."""

    def __init__(self) -> None:
        self._tokens: OrderedDict[str, AuthToken] = OrderedDict()

    def create(self, body: bytes, endpoint: Endpoint, now: datetime) -> str:
        """The name of a new token.

        Args:
            body: The JSON of the request; empty for a token of every default.
            endpoint: In which API version it is made.
            now: The time of day.

        Raises:
            Refused: The request is not one, or asks for too much.
        """
        token = _read(load(body or b"{}"), endpoint, now)
        name = PREFIX + secrets.token_hex(32)
        self._tokens[name] = token
        while len(self._tokens) > MAX_TOKENS:
            self._tokens.popitem(last=False)
        return name

    def open(self, name: str, setup: Mapping[str, Any], now: datetime) -> AuthToken:
        """Opens a session with a token, and counts it unless it resumes one.

        Args:
            name: What the client brought.
            setup: The setup that it sent.
            now: The time of day.

        Raises:
            Refused: The token is unknown, expired or used up.
        """
        token = self._tokens.get(name)
        if token is None:
            raise Refused(_INTERNAL_ERROR, "Token not found")
        resumes = bool(field(as_object(field(setup, "session_resumption"), "setup"), "handle"))
        if now >= token.expires or (now >= token.opens_until and not resumes):
            raise Refused(_INTERNAL_ERROR, "Token has expired")
        if not resumes and token.uses is not None:
            if token.uses == 0:
                raise Refused(_INTERNAL_ERROR, "Token has been used too many times")
            token.uses -= 1
        return token


def expired() -> Refused:
    """The end of a session whose token expires."""
    return Refused(_INTERNAL_ERROR, "auth token has expired")


def constrained(setup: Mapping[str, Any], token: AuthToken) -> Mapping[str, Any]:
    """The setup that counts, when a client sends ``setup`` with ``token``.

    A setup in the token without a mask takes the place of the client's, and what it leaves out is
    the default, not what the client says: a session then answers in text, which few models do. With
    a mask the token's fields replace the client's where the mask names them. The handle of a
    session to resume is always the client's.
    """
    if not token.setup and not token.mask:
        return setup
    given: dict[str, Any] = json.loads(token.setup) if token.setup else {}
    if token.mask:
        merged = _copied(setup)
        for path in token.mask:
            _replace(merged, given, path.split("."))
        return merged
    generation = dict(as_object(field(given, "generation_config"), "generation_config"))
    if field(generation, "response_modalities") is None:
        generation["responseModalities"] = ["TEXT"]
    _replace(given, {"generation_config": generation}, ["generation_config"])
    if (resumption := field(setup, "session_resumption")) is not None:
        _replace(given, {"session_resumption": resumption}, ["session_resumption"])
    return given


def _read(body: Mapping[str, Any], endpoint: Endpoint, now: datetime) -> AuthToken:
    for name in body:
        if snake_case(name) not in _FIELDS | {"field_mask"}:
            raise unknown_name(name, "auth_token")
    expires = _time(body, "expire_time", now, now + _LASTS)
    uses = as_count(field(body, "uses"), "auth_token.uses")
    setup = field(body, "bidi_generate_content_setup")
    if setup is not None:
        check_message(
            {"setup": as_object(setup, "auth_token.bidi_generate_content_setup")}, endpoint
        )
    mask = as_text(field(body, "field_mask"), "auth_token.field_mask")
    if any(path.count(".") > _DEEPEST for path in mask.split(",")):
        raise invalid("Invalid value at 'auth_token.field_mask' (FieldMask), a path is too long.")
    return AuthToken(
        expires,
        min(expires, _time(body, "new_session_expire_time", now, now + _FIRST_USED_WITHIN)),
        None if uses == 0 else uses or 1,
        json.dumps(setup) if setup is not None else "",
        tuple(path for path in mask.replace(" ", "").split(",") if path),
    )


def _time(body: Mapping[str, Any], name: str, now: datetime, default: datetime) -> datetime:
    given = as_text(field(body, name), f"auth_token.{name}")
    if not given:
        return default
    try:
        time = datetime.fromisoformat(given)
        time = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise invalid(
            f"Invalid value at 'auth_token.{name}' (Timestamp), \"{given[:40]}\""
        ) from None
    if time > now + LONGEST:
        raise invalid(f"{name} is too far in the future. Maximum lifetime is 20h")
    if time <= now:
        raise invalid(f"{name} must be in the future.")
    return time


def _copied(setup: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a setup that shares nothing of its two outer levels."""
    return {name: dict(held) if isinstance(held, Mapping) else held for name, held in setup.items()}


def _replace(target: dict[str, Any], source: Mapping[str, Any], path: list[str]) -> None:
    """Puts the source's field at ``path`` in the place of the target's, in whichever spelling."""
    name, *inner = path
    name = snake_case(name)
    held = field(source, name)
    if inner:
        outer = field(target, name)
        below = dict(outer) if isinstance(outer, Mapping) else {}
        _replace(below, held if isinstance(held, Mapping) else {}, inner)
        held = below or None
    for spelt in [spelt for spelt in target if snake_case(spelt) == name]:
        del target[spelt]
    if held is not None:
        target[name] = held
