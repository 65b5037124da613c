"""How long connections and sessions last, with time as an argument."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vision_agent.local.api.lifetime import (
    ABORTED,
    ConnectionExpiring,
    ConnectionOver,
    SessionLifetime,
)
from vision_agent.local.api.limits import SERVICE, UNLIMITED

END = 1008, "It is over."


def lifetime(
    *, compressed: bool = True, age_s: float = 0.0, **changes: float | None
) -> SessionLifetime:
    limits = replace(SERVICE, **changes)  # type: ignore[arg-type]
    return SessionLifetime(limits, END, compressed=compressed, now_s=1000.0, age_s=age_s)


def test_a_connection_is_warned_50_seconds_before_its_590_are_over() -> None:
    life = lifetime()
    assert life.wake_at_s == 1540
    assert life.due(1539.9) is None
    assert life.due(1541) == ConnectionExpiring(49)
    assert life.due(1542) is None
    assert life.wake_at_s == 1590
    assert life.due(1589.9) is None
    assert life.due(1590) == ConnectionOver(*END)


@pytest.mark.parametrize(("video", "lasts_s"), [(False, 900), (True, 120)])
def test_without_compression_a_session_ends_sooner_with_frames(video: bool, lasts_s: float) -> None:
    life = lifetime(compressed=False, connection_s=None)
    if video:
        life.video_came()
    assert life.wake_at_s == 1000 + lasts_s
    assert life.due(1000 + lasts_s - 0.1) is None
    assert life.due(1000 + lasts_s) == ConnectionOver(*ABORTED)


def test_a_first_frame_after_two_minutes_ends_the_session() -> None:
    life = lifetime(compressed=False)
    assert life.due(1200) is None
    life.video_came()
    assert life.due(1200) == ConnectionOver(*ABORTED)


def test_a_session_does_not_get_younger_by_being_resumed() -> None:
    life = lifetime(compressed=False, age_s=890)
    assert life.age_s(1005) == 895
    assert life.wake_at_s == 1010
    assert life.due(1010) == ConnectionOver(*ABORTED)


def test_compression_lifts_the_sessions_limits_and_leaves_the_connections() -> None:
    life = lifetime(age_s=10_000)
    life.video_came()
    assert life.due(1500) is None
    assert life.wake_at_s == 1540


def test_a_short_life_is_warned_at_once() -> None:
    life = lifetime(connection_s=5)
    assert life.due(1000) == ConnectionExpiring(5)


def test_nothing_ends_where_nothing_is_limited() -> None:
    life = SessionLifetime(UNLIMITED, END, compressed=False, now_s=0)
    life.video_came()
    assert life.wake_at_s is None
    assert life.due(1e9) is None
