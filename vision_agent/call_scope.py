"""The call that a task belongs to, in the one context variable that there is for it.

ADK starts tasks of its own, and an agent's tools, memory service and model are shared by all calls:
none of them can be handed a call as an argument. asyncio hands a context variable down to every
task, so what runs for a call finds the call here.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class CallScope:
    """The context of code that runs for a call.

    The two objects are opaque here, so that `tools` and `live` need not know each other.

    Attributes:
        call_id: The call's id; empty outside a call.
        tool_context: The tools' interface to the call: a `tools.call_context.CallContext`.
        model_side: The context of the model's side: a `live.model_scope.ModelScope`.
    """

    call_id: str = ""
    tool_context: object = None
    model_side: object = None


_NO_CALL = CallScope()
_current: ContextVar[CallScope] = ContextVar("call_scope")


def current() -> CallScope:
    """The call that the present task belongs to; an empty scope outside calls."""
    return _current.get(_NO_CALL)


def enter(call_id: str, tool_context: object) -> None:
    """The present task, and every task it starts, belongs to this call from now on."""
    _current.set(replace(current(), call_id=call_id, tool_context=tool_context))


def enter_model_side(model_side: object) -> None:
    """The same for the model's side of the call."""
    _current.set(replace(current(), model_side=model_side))
