"""The API key or token of a request, and the refusals of the service. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from vision_agent.local.api.endpoint import Endpoint
from vision_agent.local.api.json_fields import POLICY, Refused, invalid

PREFIX = "auth_tokens/"
"""Every ephemeral token begins with it."""

_NO_CREDENTIAL = (
    "Request is missing required authentication credential. Expected OAuth 2 access token, login "
    "cookie or other valid authentication credential."
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of a request.

    Attributes:
        api_key: The ``x-goog-api-key`` header or the ``key`` parameter.
        bearer: The token of an ``Authorization: Bearer`` header.
        ephemeral: The ephemeral token of the ``access_token`` parameter, or of an
            ``Authorization: Token`` header.
    """

    api_key: str | None
    bearer: str | None
    ephemeral: str | None = None

    @classmethod
    def of(cls, path: str, headers: Mapping[str, str]) -> Credentials:
        """Reads them from a request's path with its query, and its headers."""
        query = parse_qs(urlsplit(path).query)
        api_key = headers.get("x-goog-api-key") or query.get("key", [None])[0]
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        token = token.strip()
        ephemeral = query.get("access_token", [None])[0]
        if scheme.lower() == "token":
            ephemeral = token
        return cls(api_key, token if scheme.lower() == "bearer" else None, ephemeral)

    def check(self, endpoint: Endpoint, only_key: str | None = None) -> None:
        """Accepts any key or token, except one that starts with "invalid".

        An ephemeral token lets nobody in but at the method for it, where nothing else does; what it
        is worth is not looked at here.

        Args:
            endpoint: Which service was called.
            only_key: The one key or token that is let in; None lets in every one.

        Raises:
            Refused: with the code and words of the public service.
        """
        if endpoint.constrained:
            if not self.ephemeral:
                raise Refused(POLICY, _NO_CREDENTIAL)
            return
        if self.api_key:
            if self.api_key.startswith(("invalid", PREFIX)):
                raise invalid("API key not valid. Please pass a valid API key.")
        elif self.bearer or self.ephemeral:
            if self.ephemeral or (self.bearer or "").startswith("invalid"):
                raise Refused(
                    POLICY,
                    "Request had invalid authentication credentials. Expected OAuth 2 access "
                    "token, login cookie or other valid authentication credential.",
                )
        elif endpoint.vertex:
            raise Refused(POLICY, _NO_CREDENTIAL)
        else:
            raise Refused(
                POLICY,
                "Method doesn't allow unregistered callers (callers without established "
                "identity). Please use API Key or other form of API consumer identity to call "
                "this API.",
            )
        if only_key is not None and not _same(self.api_key or self.bearer or "", only_key):
            raise invalid("API key not valid. This server takes only the key it was started with.")


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), wanted.encode())
