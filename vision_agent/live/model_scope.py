"""The model's side of a call, for the code that ADK runs for that call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from google.adk.tools.base_toolset import BaseToolset

from vision_agent import call_scope
from vision_agent.live.call_options import CallOptions
from vision_agent.live.connection.observer import ConnectionObserver, Gate, Nobody
from vision_agent.live.connection.resumption import HandleKeeper
from vision_agent.live.tools.background import BackgroundTools


@dataclass(frozen=True, slots=True)
class ModelScope:
    """The model's side of one call.

    Attributes:
        user_id: ADK's user.
        observer: Notified of the state of the model connection.
        gate: Holds back what the caller says while there is no connection.
        handles: Keeps the resumption handle for a later call; None: it is not kept.
        played: Returns the words of the present answer that have been played so far, marked where
            words are missing; None keeps all the words of an interrupted answer.
        tools: Runs the agent's tools beside the conversation; None leaves them to ADK, which waits.
        options: How the agent answers; None leaves the setup as ADK makes it.
        toolset_failed: Called with each toolset that does not load, and the error.
    """

    user_id: str = ""
    observer: ConnectionObserver = field(default_factory=Nobody)
    gate: Gate = field(default_factory=Nobody)
    handles: HandleKeeper | None = None
    played: Callable[[], str] | None = None
    tools: BackgroundTools | None = None
    options: CallOptions | None = None
    toolset_failed: Callable[[BaseToolset, Exception], None] | None = None

    @property
    def connection_observer(self) -> ConnectionObserver:
        """The observer, and the tools, whose calls may be cancelled or made again."""
        return _ToolsToo(self.observer, self.tools) if self.tools else self.observer


@dataclass(frozen=True, slots=True)
class _ToolsToo:
    observer: ConnectionObserver
    tools: BackgroundTools

    def connected(self) -> None:
        self.observer.connected()

    def lost(self, why: str) -> None:
        self.tools.connection_lost()
        self.observer.lost(why)

    def cancelled(self, call_ids: list[str]) -> None:
        self.tools.cancel(call_ids)
        self.observer.cancelled(call_ids)

    def unanswered(self, why: str) -> None:
        self.observer.unanswered(why)


_NO_CALL = ModelScope()


def model_scope() -> ModelScope:
    """The model's side of the call that the present task belongs to; an empty one outside calls."""
    scope = call_scope.current().model_side
    return scope if isinstance(scope, ModelScope) else _NO_CALL
