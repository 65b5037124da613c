"""A request that is refused, with a sentence for the client."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException


class Refusal(HTTPException):
    """Becomes `{"error": text}`; in an application without our handler, `{"detail": text}`.

    Args:
        status: The HTTP status (RFC 9110).
        text: A sentence: what happened, and what to do.
        headers: Further headers of the response.
    """

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, text, dict(headers or {}))
        self.status = status
        self.text = text

    def response(self) -> JSONResponse:
        """The response to send."""
        return JSONResponse({"error": self.text}, self.status, headers=self.headers)
