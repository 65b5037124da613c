"""A connection to the user's own server with OpenAI's interface.

Only the request itself is sent: no headers that describe this machine, no other key of the
environment, and nothing to the target of a redirect.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx2
from openai import AsyncOpenAI, NotFoundError, OpenAIError

from vision_agent.local.brain.failures import BrainFailure, Part, failure_of
from vision_agent.own_models import OwnServer

CONNECT_S = 5.0

KEPT_S = 2.0
"""How long an idle connection is kept. llama.cpp and uvicorn close theirs after 5 s, and a request
that crosses the closing is lost."""

LONGEST_BYTES = 8_000_000
"""Of one response: more than two minutes of sound; the rest is not read."""

FAILURES = (OpenAIError, httpx2.HTTPError, ValueError, RecursionError)
"""What a request raises: JSON may be none, or nested more deeply than it can be read."""

_HEADERS = frozenset(
    [
        "host",
        "accept",
        "connection",
        "content-type",
        "content-length",
        "transfer-encoding",
        "user-agent",
    ]
)
"""What is sent beside the key."""


class _Bounded(httpx2.AsyncByteStream):
    """The body of a response, which fails when it is longer than `LONGEST_BYTES`."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        came = 0
        async for data in self._stream:
            came += len(data)
            if came > LONGEST_BYTES:
                raise httpx2.ReadError(f"more than {LONGEST_BYTES:,} bytes")
            yield data

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _bound(response: httpx2.Response) -> None:
    """Bounds what a server can make large; compressed, its length would not be known."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise httpx2.DecodingError("compressed, though it was not asked to be")
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    response.stream = _Bounded(response.stream)


class OpenAIServer:
    """A client of one server.

    Args:
        server: The server.
        option: The flag that names its model, for the log.

    Attributes:
        client: OpenAI's client, which tries once, has no time limit but that for the connection,
            and follows no redirection.
        model: The model that is asked; None as long as it is not known.
    """

    def __init__(self, server: OwnServer, option: str) -> None:
        self._server = server
        self._option = option
        self.model = server.model
        self.client = AsyncOpenAI(
            api_key=server.key or "none",
            base_url=server.url,
            organization="",
            project="",
            max_retries=0,
            http_client=httpx2.AsyncClient(
                follow_redirects=False,
                timeout=httpx2.Timeout(None, connect=CONNECT_S),
                limits=httpx2.Limits(
                    max_connections=100, max_keepalive_connections=20, keepalive_expiry=KEPT_S
                ),
                event_hooks={"request": [self._only_what_is_needed], "response": [_bound]},
            ),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self.client.close()

    def failure(
        self,
        error: Exception,
        part: Part,
        *,
        opened: bool = False,
        pictures: bool = False,
    ) -> BrainFailure:
        """What an error of the client means, as `failure_of`; the key is in no word of it."""
        failure = failure_of(
            error, self._server.host, self.model or "", opened=opened, pictures=pictures, part=part
        )
        if key := self._server.key:
            # Servers repeat a key that they do not accept.
            failure.args = tuple(str(each).replace(key, "…") for each in failure.args)
        return failure

    async def models(self) -> list[str]:
        """The names of the models that the server lists.

        Raises:
            BrainFailure: What it sends is no list of models, a page for example.
        """
        # OpenAI's client takes whatever comes for a list, and fails on it in ways of its own.
        answer = await self.client.get("/models", cast_to=httpx2.Response)
        try:
            return [str(model["id"]) for model in json.loads(answer.text)["data"] or ()]
        except (ValueError, LookupError, TypeError, RecursionError):
            raise BrainFailure(
                "no_api",
                f"The server at {self._server.host} does not speak OpenAI's interface.",
                f"no list of models, but {answer.headers.get('content-type', 'something')}",
            ) from None

    async def model_name(self, usual: str = "") -> str:
        """The model to ask: the named one, or the server's only one.

        Args:
            usual: The name for a server that lists none; empty if the server has to list one.

        Raises:
            BrainFailure: No model is named, and the server does not have exactly one.
        """
        if self.model is None:
            try:
                names = await self.models()
            except NotFoundError:
                if not usual:
                    raise
                self.model = usual
                return usual
            if len(names) != 1:
                some = ", ".join(names[:8]) or "none"
                raise BrainFailure(
                    "model",
                    f"The server at {self._server.host} has {len(names) or 'no'} models, and I "
                    "was not told which one to ask.",
                    f"no {self._option}, and the server has: {some}",
                )
            self.model = names[0]
        return self.model

    async def _only_what_is_needed(self, request: httpx2.Request) -> None:
        for name in list(request.headers):
            if name.lower() not in _HEADERS:
                del request.headers[name]
        if self._server.key:
            request.headers["Authorization"] = f"Bearer {self._server.key}"
