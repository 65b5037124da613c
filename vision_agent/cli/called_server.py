"""The server that `replay` and `talk` call: a running one, or one started for the call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vision_agent.cli.answer_flags import answer_flags, check_answers
from vision_agent.cli.brain_flags import as_arguments, brain_flags
from vision_agent.cli.flags import with_flags
from vision_agent.cli.options import (
    CalledAgent,
    Headers,
    Model,
    Recording,
    Timeout,
    Token,
    Url,
    refuse,
    user_errors,
)
from vision_agent.own_models import is_url

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
        *,
        agent: CalledAgent = None,
        model: Model = None,
        url: Url = None,
        token: Token = None,
        header: Headers = None,
        timeout: Timeout = 60.0,
        recording: Recording = None,
        brain: dict[str, Any],
        answers: dict[str, Any],
    ) -> CalledServer:
        """Sort a command's options into those of the server and those of the call.

        Mistakes are reported in words, before a server is started.

        Args:
            agent: The agent to start a server with; a running server is asked for it by name.
            model: The model to start a server with; refused with `url`.
            url: A running server; None to start one.
            token: The access token.
            header: Headers as `Name: value`; a malformed one is refused.
            timeout: The longest wait, in seconds.
            recording: Whether the caller agrees to be recorded; None if the option was not given.
            brain: What to start a server with; refused with `url`.
            answers: How the agent answers, the options of the call.
        """
        if is_url(answers.get("voice") or ""):
            brain, answers = brain | {"voice": answers["voice"]}, answers | {"voice": None}
        chosen = ["--model"] * (model is not None) + list(as_arguments(brain)[:1])
        if url is not None and chosen:
            refuse(
                f"{chosen[0]} can't be chosen for a server that is running: leave it out, or leave "
                "--url out to start a server with it."
            )
        with user_errors():
            check_answers({name: value for name, value in answers.items() if value is not None})
        asked = {
            **answers,
            "agent": agent if url is not None else None,
            "record": recording,
            "record_consent": recording or None,
        }
        options = {"agent": agent, "model": model}
        words = (word for name, value in options.items() if value for word in (f"--{name}", value))
        return cls(
            url,
            (*words, *as_arguments(brain)),
            {name: value for name, value in asked.items() if value is not None},
            token,
            _read_headers(header),
            timeout,
        )

    @classmethod
    def flags(cls, command: Callable[..., None]) -> Callable[..., None]:
        """Give a command the flags for all of this; it gets them as `server`."""
        given = inspect.signature(cls.of, eval_str=True).parameters.values()
        return answer_flags(brain_flags(with_flags(command, "server", given, cls.of)))

    async def address(self, stack: AsyncExitStack, console: Terminal) -> str:
        """Return the server's address; starts one if necessary, which ends with the stack.

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
