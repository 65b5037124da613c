"""Error responses: JSON with one sentence for the client."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from vision_agent.calls.metrics import Metrics
from vision_agent.calls.refusal import Refusal
from vision_agent.server.ingress.descriptors import is_shortage


def tell_errors(app: FastAPI, metrics: Metrics) -> None:
    """Add the exception handlers.

    Args:
        app: The application.
        metrics: Counts refusals.
    """

    @app.exception_handler(Refusal)
    async def refuse(_: Request, refusal: Refusal) -> JSONResponse:
        metrics.offers_refused.labels(str(refusal.status)).inc()
        return refusal.response()

    @app.exception_handler(HTTPException)
    async def refuse_in_words(_: Request, error: HTTPException) -> JSONResponse:
        return Refusal(error.status_code, _sentence(error), error.headers).response()

    @app.exception_handler(ClientDisconnect)
    async def forget(_: Request, gone: ClientDisconnect) -> Response:
        return Response(status_code=400)  # nobody reads it: the client left during its request

    @app.exception_handler(OSError)
    async def refuse_without_descriptors(_: Request, error: OSError) -> JSONResponse:
        if not is_shortage(error):
            raise error
        text = "The server has no file descriptor left for this. Try again shortly."
        return Refusal(503, text, {"Retry-After": "5"}).response()

    @app.exception_handler(Exception)
    async def fail(_: Request, error: Exception) -> JSONResponse:
        # Starlette raises the error again after this was sent, and the ASGI server logs it.
        return Refusal(500, "Something went wrong on the server. Try again.").response()


def _sentence(error: HTTPException) -> str:
    # A default detail is Starlette's own; an application that refuses a caller sets other words.
    match error.detail:
        case "Not Found":
            return "There is nothing at this address."
        case "Method Not Allowed":
            return "This address does not take that method."
        case _:
            return str(error.detail)
