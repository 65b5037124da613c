"""Short-lived tokens that let one user call: signed JSON Web Tokens (RFC 7519). Pure.

The key is derived from the server's access token by scrypt, slowly, because the holder of a token
can use it to test guesses of the access token.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

ALGORITHM = "HS256"
ISSUER = "vision-agent"
AUDIENCE = "vision-agent"
MAX_CHARS = 4_096
MAX_OPTIONS_BYTES = 2_000
MAX_USES = 1_000
MAX_LIFETIME_S = 86_400

_WHY = (
    (jwt.InvalidAlgorithmError, f"it is not signed with {ALGORITHM}"),
    (jwt.InvalidSignatureError, "its signature is not this server's"),
    (jwt.InvalidAudienceError, "it is meant for another service"),
    (jwt.InvalidIssuerError, "it was given by another service"),
)


class BadToken(ValueError):
    """A token that this server has not issued; the text says why, as part of a sentence."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The permissions of a token.

    Attributes:
        expires_at_s: The time from which it begins no more calls, in seconds since 1970.
        uses: How many conversations it may begin.
        user_id: ADK's user of its calls; empty for an unknown caller.
        agent: The agent that it may call; None for all.
        options: The options that its calls have, whatever the caller asks for.
        token_id: Distinguishes this token from every other one.
    """

    expires_at_s: int
    uses: int = 1
    user_id: str = ""
    agent: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    token_id: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    def expired(self, now_s: float) -> bool:
        """Whether it begins no more calls, at a time in seconds since 1970."""
        return now_s >= self.expires_at_s


class _Claims(BaseModel):
    model_config = ConfigDict(strict=True)

    jti: str = Field(max_length=64)
    exp: int
    uses: int
    sub: str = ""
    agent: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)


class CallTokens:
    """Issues tokens, and reads those that any process with the same secret has issued.

    Args:
        secret: The server's access token.
        continues_s: How long after its expiry a token still reaches what it has begun.
    """

    def __init__(self, secret: str, *, continues_s: float) -> None:
        # 16 MB and some 50 ms, spent here and not during a call.
        self._key = hashlib.scrypt(secret.encode(), salt=b"vision-agent call", n=2**14, r=8, p=1)
        self._continues_s = continues_s

    def give(self, grant: Grant, now_s: float) -> str:
        """A new token.

        Args:
            grant: What it allows.
            now_s: Seconds since 1970.
        """
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": int(now_s),
            "exp": grant.expires_at_s,
            "jti": grant.token_id,
            "uses": grant.uses,
            "sub": grant.user_id,
            "agent": grant.agent,
            "options": grant.options,
        }
        return jwt.encode(
            {name: value for name, value in claims.items() if value}, self._key, ALGORITHM
        )

    def read(self, token: str, now_s: float) -> Grant:
        """The grant of a token that has not expired, or not longer than `continues_s` ago.

        Args:
            token: The token.
            now_s: Seconds since 1970.

        Raises:
            BadToken: It is not one of this server's.
        """
        if len(token) > MAX_CHARS:
            raise BadToken("it is too long")
        try:
            read = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={
                    "require": ["exp", "iat", "jti"],
                    # An expired token still reaches the call that it has begun.
                    "verify_exp": False,
                    # Another server, whose clock is ahead of this one's, may have issued it.
                    "verify_iat": False,
                },
            )
            claims = _Claims.model_validate(read)
        except (jwt.PyJWTError, ValidationError) as error:
            why = (text for kind, text in _WHY if isinstance(error, kind))
            raise BadToken(next(why, "it is not a token")) from error
        if now_s >= claims.exp + self._continues_s:
            raise BadToken("it has expired")
        return Grant(claims.exp, claims.uses, claims.sub, claims.agent, claims.options, claims.jti)
