"""When the faults of a scenario strike. Pure: time and events are arguments.

The `FaultPlan` of a server knows the faults that have yet to strike. Each attempt to connect gets
its `ConnectionFaults`, which takes the events of that connection and returns the faults that
strike. ``faulty_connection`` carries them out.

Without ``every_s`` every fault waits for its own conditions. With ``every_s`` one fault after
another is *armed*, the next one ``every_s`` after the last one struck, and only the armed fault can
strike. If it can strike only while a client connects, the connection is torn off first; otherwise
the fault would wait for an attempt that never comes. The next connection is torn off after
``every_s`` as well if the fault could not strike (an expired handle strikes only a client that
brings a handle).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import count

from vision_agent.local.scenarios.scenario import (
    TORN_OFF,
    Drop,
    ExpiredHandle,
    Fault,
    FaultKind,
    GoAway,
    Refuse,
    Scenario,
)


class ConnectionEvent(Enum):
    """An event on a connection."""

    SETUP = auto()
    """The setup message was received."""
    RESUMING = auto()
    """The setup message was received, with a resumption handle."""
    READY = auto()
    """``setupComplete`` is sent."""
    OUTPUT = auto()
    """A message of a turn is sent."""
    AUDIO = auto()
    """A chunk of audio is sent (after `OUTPUT`)."""
    TURN_COMPLETE = auto()
    """``turnComplete`` is sent."""


@dataclass(slots=True)
class _RemainingFault:
    """A fault and how often it has yet to strike; None means always. ``key`` identifies it."""

    key: int
    fault: Fault
    times: int | None


class FaultPlan:
    """The faults of one server.

    Args:
        scenario: The scenario with the faults and their order.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._every_s = scenario.every_s
        self._order = _in_order(scenario)
        self._keys = count()
        self._left = [
            _RemainingFault(next(self._keys), fault, fault.times) for fault in scenario.faults
        ]
        self._attempts = 0
        self._armed: _RemainingFault | None = None
        self._next_s: float | None = None

    def connect(self) -> tuple[ConnectionFaults, Refuse | None]:
        """Count an attempt to connect; its faults, and the refusal if it is refused."""
        self._attempts += 1
        for left in self.open():
            fault = left.fault
            if isinstance(fault.kind, Refuse) and fault.at.connection <= self._attempts:
                self.struck(left, None)
                return ConnectionFaults(self, self._attempts), fault.kind
        return ConnectionFaults(self, self._attempts), None

    def open(self) -> list[_RemainingFault]:
        """The faults that may strike now."""
        left = self._left
        if self._every_s is not None:
            left = [self._armed] if self._armed is not None else []
        return [entry for entry in left if entry.times is None or entry.times > 0]

    def struck(self, left: _RemainingFault, now_s: float | None) -> None:
        """Records that a fault has struck; the time is None while a client connects."""
        if left.times is not None:
            left.times -= 1
        if left is self._armed and not left.times:
            self._armed = None
            # If no client is connected, the time counts from when one is connected again.
            self._next_s = None if now_s is None else now_s + (self._every_s or 0.0)

    @property
    def wake_at_s(self) -> float | None:
        """When `arm` has to be called; None while it would do nothing."""
        return self._next_s

    def arm(self, now_s: float) -> bool:
        """Arms the next fault if it is due; called while a connection is open and set up.

        Returns:
            Whether this connection has to be torn off so that the fault can strike the next one.
        """
        if self._every_s is None or (self._armed and not self._armed.fault.needs_connect):
            return False
        if self._next_s is None:
            self._next_s = now_s + self._every_s
        if now_s < self._next_s:
            return False
        if self._armed is None:
            fault = next(self._order)
            self._armed = _RemainingFault(next(self._keys), fault, fault.times)
        tears_off = self._armed.fault.needs_connect
        self._next_s = now_s + self._every_s if tears_off else None
        return tears_off


def _in_order(scenario: Scenario) -> Iterator[Fault]:
    """The faults in an endless sequence: as listed, or shuffled each round by the seed."""
    shuffler = random.Random(scenario.seed)
    faults = list(scenario.faults)
    while True:
        if scenario.random:
            shuffler.shuffle(faults)
        yield from faults


@dataclass(slots=True)
class ConnectionFaults:
    """The faults of one connection.

    Attributes:
        number: Number of the attempt to connect, from 1.
    """

    _plan: FaultPlan
    number: int
    _setup: bool = False
    _resuming: bool = False
    _ready: bool = False
    _turns: int = 0
    _in_turn: bool = False
    _chunks: int = 0
    _said_s: float = 0.0
    _begun_s: dict[int, float] = field(default_factory=dict)
    _struck: set[int] = field(default_factory=set)
    _closing: list[tuple[float, Drop]] = field(default_factory=list)

    def happened(self, moments: Sequence[ConnectionEvent], now_s: float) -> list[FaultKind]:
        """Take events of the connection; returns the faults that strike now."""
        for moment in moments:
            self._count(moment)
        self._said_s = now_s
        return self.due(now_s)

    def due(self, now_s: float) -> list[FaultKind]:
        """The faults that strike at this time; to be called again at `wake_at_s`."""
        strikes: list[FaultKind] = []
        if self._ready and self._plan.arm(now_s):
            strikes.append(Drop(TORN_OFF))
        for left in self._plan.open():
            key = left.key
            begun = key in self._begun_s or self._applies(left.fault, now_s)
            if key in self._struck or not begun:
                continue
            begun_s = self._begun_s.setdefault(key, now_s)
            if now_s >= begun_s + left.fault.at.after_s:
                self._struck.add(key)
                self._plan.struck(left, now_s if self._ready else None)
                strikes.append(left.fault.kind)
                if isinstance(left.fault.kind, GoAway):
                    end = Drop(left.fault.kind.code, left.fault.kind.reason)
                    self._closing.append((now_s + left.fault.kind.time_left_s, end))
        strikes += [drop for at_s, drop in self._closing if at_s <= now_s]
        self._closing = [(at_s, drop) for at_s, drop in self._closing if at_s > now_s]
        return strikes

    @property
    def wake_at_s(self) -> float | None:
        """When `due` has to be called if there is no event before; None: never."""
        times = [at_s for at_s, _ in self._closing]
        for left in self._plan.open():
            begun_s, at = self._begun_s.get(left.key), left.fault.at
            if begun_s is not None and left.key not in self._struck:
                times.append(begun_s + at.after_s)
            elif begun_s is None and at.silent_s is not None and self._may_be_silent(left.fault):
                times.append(self._said_s + at.silent_s)
        if self._ready and self._plan.wake_at_s is not None:
            times.append(self._plan.wake_at_s)
        return min(times, default=None)

    def _count(self, moment: ConnectionEvent) -> None:
        match moment:
            case ConnectionEvent.SETUP:
                self._setup = True
            case ConnectionEvent.RESUMING:
                self._setup = self._resuming = True
            case ConnectionEvent.READY:
                self._ready = True
            case ConnectionEvent.OUTPUT if not self._in_turn:
                self._in_turn = True
                self._turns += 1
                self._chunks = 0
            case ConnectionEvent.AUDIO:
                self._chunks += 1
            case ConnectionEvent.TURN_COMPLETE:
                self._in_turn = False
            case _:
                pass

    def _may_be_silent(self, fault: Fault) -> bool:
        return self._ready and not self._in_turn and self.number >= fault.at.connection

    def _applies(self, fault: Fault, now_s: float) -> bool:
        at = fault.at
        if isinstance(fault.kind, Refuse) or self.number < at.connection:
            return False
        if at.silent_s is not None:
            return self._may_be_silent(fault) and now_s >= self._said_s + at.silent_s
        if isinstance(fault.kind, ExpiredHandle):
            return self._resuming and not self._ready
        if fault.needs_connect:
            # A fault that was armed while this connection was open is meant for the next one.
            return self._setup and not self._ready
        return (
            self._ready
            and (at.turn is None or (at.turn == self._turns and self._in_turn))
            and (at.audio_chunks is None or (self._in_turn and self._chunks >= at.audio_chunks))
        )
