"""Reads one entry of a scenario's ``faults``: its kind and value, ``at``, and ``times``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus

from vision_agent.local.scenarios.scenario import (
    GARBAGE,
    TORN_OFF,
    At,
    Drop,
    ExpiredHandle,
    Fault,
    FaultKind,
    Garbage,
    GoAway,
    NotResumable,
    Oversized,
    Refuse,
    SlowReads,
    Stall,
)
from vision_agent.local.scenarios.yaml_reader import YamlValue

MAX_OVERSIZED_BYTES = 64 * 2**20

_MAX_REASON_BYTES = 123
_DAY_S = 86_400.0
_FOREVER = {"forever": float("inf")}

_Given = Mapping[str, YamlValue]


def read_fault(item: YamlValue) -> Fault:
    """Reads one fault.

    Raises:
        ScenarioError: The entry is not a fault, or is several at once.
    """
    known = tuple(_KINDS)
    given = item.fields((*known, "at", "times", "reason", "code", "for_s"))
    kinds = [key for key in known if key in given]
    if len(kinds) != 1:
        said = " and ".join(f"'{key}'" for key in kinds) or "none"
        raise item.error(f"a fault has exactly one of {', '.join(known)}; here: {said}.")
    read, options = _KINDS[kinds[0]]
    for key in ("reason", "code", "for_s"):
        if key in given and key not in options:
            raise given[key].error(f"'{key}' means nothing for '{kinds[0]}'.")
    kind = read(given[kinds[0]], given)
    at = _at(given["at"]) if "at" in given else At()
    if kinds[0] == "setup_complete_s":
        at = replace(at, setup=True)
    _check(item, kinds[0], kind, at)
    return Fault(kind, at, _times(given))


def _drop(value: YamlValue, given: _Given) -> Drop:
    return Drop(_code(value), _reason(given))


def _go_away(value: YamlValue, given: _Given) -> GoAway:
    code = _code(given["code"]) if "code" in given else 1000
    return GoAway(value.number(0, _DAY_S), code, _reason(given))


def _resumable(value: YamlValue, given: _Given) -> NotResumable:
    if value.flag():
        raise value.error("'resumable: true' is not a fault; 'resumable: false' is.")
    return NotResumable(_for_s(given, 0.0))


def _handle(value: YamlValue, _: _Given) -> ExpiredHandle:
    value.choice("expired")
    return ExpiredHandle()


def _refuse(value: YamlValue, _: _Given) -> Refuse:
    return Refuse(None) if value.data == "reset" else Refuse(_status(value))


def _status(value: YamlValue) -> int:
    if isinstance(value.data, str):
        raise value.wrong("an HTTP status from 400 to 599 or 'reset'")
    status = value.count(400, 599)
    if status not in set(HTTPStatus):
        raise value.error(f"{status} is not an HTTP status.")
    return status


def _slow_reads(value: YamlValue, given: _Given) -> SlowReads:
    return SlowReads(value.number(0, 60), _for_s(given, float("inf")))


def _stall(value: YamlValue, _: _Given) -> Stall:
    return Stall(value.number(0, _DAY_S, _FOREVER))


def _setup_complete(value: YamlValue, _: _Given) -> Stall:
    return Stall(value.number(0, _DAY_S, {"never": float("inf")}))


def _oversized(value: YamlValue, _: _Given) -> Oversized:
    return Oversized(value.count(100, MAX_OVERSIZED_BYTES))


def _garbage(value: YamlValue, _: _Given) -> Garbage:
    return Garbage(value.choice(*GARBAGE))


_KINDS: dict[str, tuple[Callable[[YamlValue, _Given], FaultKind], tuple[str, ...]]] = {
    "drop": (_drop, ("reason",)),
    "go_away_s": (_go_away, ("code", "reason")),
    "resumable": (_resumable, ("for_s",)),
    "handle": (_handle, ()),
    "refuse": (_refuse, ()),
    "slow_reads_s": (_slow_reads, ("for_s",)),
    "stall_s": (_stall, ()),
    "setup_complete_s": (_setup_complete, ()),
    "oversized_bytes": (_oversized, ()),
    "garbage": (_garbage, ()),
}


def _code(value: YamlValue) -> int:
    code = value.count(1000, 4999)
    # RFC 6455, section 7.4, and the IANA registry: the codes that a close frame may carry.
    sendable = code in (1000, 1001, 1002, 1003, *range(1007, 1015)) or code >= 3000
    if not (sendable or code == TORN_OFF):
        raise value.error(
            f"{code} can't be sent as a close code; take 1000-1003, 1007-1014, 3000-4999, or "
            "1006 to tear the connection off."
        )
    return code


def _reason(given: _Given) -> str:
    if "reason" not in given:
        return ""
    reason = given["reason"].text()
    if len(reason.encode()) > _MAX_REASON_BYTES:
        raise given["reason"].error(f"'reason' has {_MAX_REASON_BYTES} bytes at most.")
    return reason


def _for_s(given: _Given, default: float) -> float:
    return given["for_s"].number(0, _DAY_S, _FOREVER) if "for_s" in given else default


def _times(given: _Given) -> int | None:
    if "times" not in given:
        return 1
    if given["times"].data == "always":
        return None
    if isinstance(given["times"].data, str):
        raise given["times"].wrong("a whole number or 'always'")
    return given["times"].count(1, 10**6)


def _at(value: YamlValue) -> At:
    given = value.fields(("connection", "setup", "turn", "audio_chunks", "silent_s", "after_s"))
    return At(
        connection=given["connection"].count(1, 10**6) if "connection" in given else 1,
        setup=given["setup"].flag() if "setup" in given else False,
        turn=given["turn"].count(1, 10**6) if "turn" in given else None,
        audio_chunks=given["audio_chunks"].count(1, 10**6) if "audio_chunks" in given else None,
        after_s=given["after_s"].number(0, _DAY_S) if "after_s" in given else 0.0,
        silent_s=given["silent_s"].number(0, _DAY_S) if "silent_s" in given else None,
    )


def _check(item: YamlValue, name: str, kind: FaultKind, at: At) -> None:
    in_talk = at.turn is not None or at.audio_chunks is not None
    silent = at.silent_s is not None
    if isinstance(kind, Refuse | ExpiredHandle) and (in_talk or at.after_s or at.setup or silent):
        raise item.error(f"'{name}' happens while a client connects: 'at' takes only 'connection'.")
    if at.setup and (in_talk or silent):
        raise item.error("at the setup there is no turn and no sound yet.")
    if in_talk and silent:
        raise item.error("'silent_s' is between turns: leave 'turn' and 'audio_chunks' out.")
    if name == "setup_complete_s" and at.after_s:
        raise item.error("'setup_complete_s' is the delay itself: leave 'after_s' out.")
