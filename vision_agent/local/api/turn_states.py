"""The states of the two sides of a conversation, and every move between them. Pure tables."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import TypeVar


class Floor(Enum):
    """The model's side."""

    IDLE = auto()
    THINKING = auto()
    SPEAKING = auto()
    PLAYING_OUT = auto()
    WAITING_FOR_TOOL = auto()
    HELD_OPEN = auto()


class Caller(Enum):
    """The caller's side."""

    SILENT = auto()
    SPEAKING = auto()
    TRANSCRIBING = auto()


class Event(Enum):
    """The events that move a side from one state to another."""

    PROMPTED = auto()
    SPOKE = auto()
    CALLED = auto()
    LAUNCHED = auto()
    TOOL_ANSWERED = auto()
    GENERATED = auto()
    PLAYED_OUT = auto()
    HELD = auto()
    CUT_OFF = auto()
    STARTED = auto()
    STOPPED = auto()
    TRANSCRIBED = auto()


FLOOR = {
    (Floor.IDLE, Event.PROMPTED): Floor.THINKING,
    (Floor.THINKING, Event.SPOKE): Floor.SPEAKING,
    (Floor.THINKING, Event.CALLED): Floor.WAITING_FOR_TOOL,
    (Floor.THINKING, Event.LAUNCHED): Floor.THINKING,
    (Floor.THINKING, Event.GENERATED): Floor.PLAYING_OUT,
    (Floor.THINKING, Event.CUT_OFF): Floor.IDLE,
    (Floor.SPEAKING, Event.SPOKE): Floor.SPEAKING,
    (Floor.SPEAKING, Event.CALLED): Floor.WAITING_FOR_TOOL,
    (Floor.SPEAKING, Event.LAUNCHED): Floor.SPEAKING,
    (Floor.SPEAKING, Event.GENERATED): Floor.PLAYING_OUT,
    (Floor.SPEAKING, Event.CUT_OFF): Floor.IDLE,
    (Floor.PLAYING_OUT, Event.PLAYED_OUT): Floor.IDLE,
    (Floor.PLAYING_OUT, Event.CUT_OFF): Floor.IDLE,
    (Floor.PLAYING_OUT, Event.HELD): Floor.HELD_OPEN,
    (Floor.HELD_OPEN, Event.PLAYED_OUT): Floor.IDLE,
    (Floor.HELD_OPEN, Event.CUT_OFF): Floor.IDLE,
    (Floor.WAITING_FOR_TOOL, Event.TOOL_ANSWERED): Floor.THINKING,
    (Floor.WAITING_FOR_TOOL, Event.CUT_OFF): Floor.IDLE,
}

CALLER = {
    (Caller.SILENT, Event.STARTED): Caller.SPEAKING,
    (Caller.SPEAKING, Event.STOPPED): Caller.TRANSCRIBING,
    (Caller.TRANSCRIBING, Event.STARTED): Caller.SPEAKING,
    (Caller.TRANSCRIBING, Event.TRANSCRIBED): Caller.SILENT,
}

_State = TypeVar("_State", Floor, Caller)


class ImpossibleEvent(RuntimeError):
    """An event that the state of a side can't take; the text names both."""


def after(moves: Mapping[tuple[_State, Event], _State], state: _State, event: Event) -> _State:
    """The state that follows.

    Raises:
        ImpossibleEvent: there is no such move.
    """
    if (state, event) not in moves:
        side = type(state).__name__.lower()
        raise ImpossibleEvent(f"can't handle event {event.name} when the {side} is {state.name}")
    return moves[state, event]
