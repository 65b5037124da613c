"""The API key or token of a request, and the refusals of the service. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from vision_agent.local.api.endpoint import Endpoint
from vision_agent.local.api.json_fields import POLICY, Refused, invalid


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request brings.

    Attributes:
        api_key: The ``x-goog-api-key`` header or the ``key`` parameter; an ephemeral token stands
            for the key that it was made with.
        bearer: The token of an ``Authorization: Bearer`` header.
    """

    api_key: str | None
    bearer: str | None

    @classmethod
    def of(cls, path: str, headers: Mapping[str, str]) -> Credentials:
        """Reads them from a request's path with its query, and its headers."""
        query = parse_qs(urlsplit(path).query)
        api_key = headers.get("x-goog-api-key") or query.get("key", [None])[0]
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        token = token.strip()
        ephemeral = token if scheme.lower() == "token" else ""
        api_key = api_key or ephemeral or query.get("access_token", [None])[0]
        return cls(api_key, token if scheme.lower() == "bearer" else None)

    def check(self, endpoint: Endpoint, only_key: str | None = None) -> None:
        """Lets in whoever brings a key or a token, except one that starts with "invalid".

        Args:
            endpoint: Which service was called.
            only_key: The one key or token that is let in; None lets in every one.

        Raises:
            Refused: with the code and words of the public service.
        """
        if self.api_key:
            if self.api_key.startswith("invalid"):
                raise invalid("API key not valid. Please pass a valid API key.")
        elif self.bearer:
            if self.bearer.startswith("invalid"):
                raise Refused(
                    POLICY,
                    "Request had invalid authentication credentials. Expected OAuth 2 access "
                    "token, login cookie or other valid authentication credential.",
                )
        elif endpoint.vertex:
            raise Refused(
                POLICY,
                "Request is missing required authentication credential. Expected OAuth 2 access "
                "token, login cookie or other valid authentication credential.",
            )
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
