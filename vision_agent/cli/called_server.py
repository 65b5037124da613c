"""The server that `replay` and `talk` call: one that runs, or one they start for the call."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vision_agent.cli.options import refuse

if TYPE_CHECKING:
    from vision_agent.terminal import Terminal


@dataclass(frozen=True, slots=True)
class CalledServer:
    """The server to call, and what is sent with every request.

    Attributes:
        url: A running server; None to start one.
        serve_arguments: Arguments of `serve`, if one is started.
        asked: Options of the call (`requestData`).
        token: The access token, if the server requires one.
        headers: Further HTTP headers.
        timeout_s: The longest wait for the server, and for an answer.
    """

    url: str | None
    serve_arguments: tuple[str, ...] = ()
    asked: Mapping[str, Any] = field(default_factory=dict)
    token: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 60.0

    @classmethod
    def of(
        cls,
        url: str | None,
        *,
        agent: str | None,
        model: str | None,
        asked: Mapping[str, Any],
        token: str | None,
        header: list[str] | None,
        timeout_s: float,
    ) -> CalledServer:
        """Sort a command's options into those of the server and those of the call.

        Args:
            url: A running server; None to start one.
            agent: The agent to start a server with; a running server is asked for it by name.
            model: The model to start a server with; refused with `url`.
            asked: Options of the call; None is skipped.
            token: The access token.
            header: Headers as `Name: value`; a malformed one is refused.
            timeout_s: The longest wait.
        """
        if url is not None and model is not None:
            refuse(
                "--model can't be chosen for a server that is running: leave it out, or leave "
                "--url out to start a server with it."
            )
        asked = {**asked, "agent": agent if url is not None else None}
        options = {"agent": agent, "model": model}
        words = (word for name, value in options.items() if value for word in (f"--{name}", value))
        return cls(
            url,
            tuple(words),
            {name: value for name, value in asked.items() if value is not None},
            token,
            _read_headers(header),
            timeout_s,
        )

    async def address(self, stack: AsyncExitStack, console: Terminal) -> str:
        """Return the server's address, starting one if need be, which then ends with the stack.

        Raises:
            ServerDidNotStart: The reason stands on standard error.
        """
        from vision_agent.server_process import ServerProcess

        if self.url is not None:
            return self.url
        server = await stack.enter_async_context(ServerProcess(*self.serve_arguments))
        console.say(server.says[1])
        return server.url


def _read_headers(given: list[str] | None) -> dict[str, str]:
    """Parse `--header 'Name: value'`; a mistake is reported in words."""
    from vision_agent.caller.signalling import parse_headers

    try:
        return parse_headers(given or ())
    except ValueError as error:
        refuse(f"--header {error}")
