"""Which client gets one of a bounded number of lines, and which one loses its line for it."""

from __future__ import annotations

import pytest

from vision_agent.local.lines import MOST_PER_ADDRESS, SILENT_S, Lines, NoLine

HERE = "127.0.0.1"


def full(most: int = 3) -> Lines[str]:
    lines = Lines[str](most)
    for number in range(most):
        lines.take(f"old {number}", HERE, float(number))
    return lines


def test_a_full_house_refuses_who_comes_while_everybody_talks() -> None:
    lines = full()
    with pytest.raises(NoLine) as refused:
        lines.take("new", HERE, 5.0)
    assert not refused.value.of_address


def test_the_most_silent_connection_gives_its_line_to_a_newcomer() -> None:
    lines = full()
    lines.stirred("old 0", 4.0)
    assert lines.take("new", HERE, 1.0 + SILENT_S) == "old 1"
    assert set(lines) == {"old 0", "old 2", "new"}


def test_a_silent_connection_keeps_its_line_while_there_are_free_ones() -> None:
    lines = Lines[str](2)
    lines.take("old", HERE, 0.0)
    assert lines.take("new", HERE, 10 * SILENT_S) is None


@pytest.mark.parametrize(
    "addresses",
    [["192.0.2.7"], ["2001:db8::1", "2001:db8::2"], ["::ffff:192.0.2.7", "192.0.2.7"]],
)
def test_one_address_has_some_lines_only_and_others_get_theirs(addresses: list[str]) -> None:
    lines = Lines[int](1000)
    for number in range(MOST_PER_ADDRESS):
        lines.take(number, addresses[number % len(addresses)], 0.0)
    with pytest.raises(NoLine) as refused:
        lines.take(-1, addresses[0], 1.0)
    assert refused.value.of_address
    assert lines.take(-2, "198.51.100.1", 1.0) is None
    for number in range(2 * MOST_PER_ADDRESS):
        assert lines.take(100 + number, HERE, 1.0) is None


def test_an_address_with_too_many_lines_costs_nobody_elses() -> None:
    lines = Lines[int](MOST_PER_ADDRESS + 1)
    lines.take(-1, "198.51.100.1", 0.0)
    for number in range(MOST_PER_ADDRESS):
        lines.take(number, "192.0.2.7", 1.0)
    assert lines.take(99, "192.0.2.7", 2.0 + SILENT_S) == 0


def test_who_leaves_leaves_a_line() -> None:
    lines = full()
    lines.leave("old 1")
    lines.leave("old 1")
    assert lines.take("new", HERE, 3.0) is None
