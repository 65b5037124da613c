"""Compares arguments and boxes with the expected ones. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vision_agent.caller.transcript import Point, ToolCallRecord
from vision_agent.evaluation.expected import PointExpected, ToolExpected
from vision_agent.evaluation.words import find_phrase, words_of


def arguments_match(expected: Any, given: Any, *, exact: bool) -> bool:
    """Whether a tool's arguments are the expected ones.

    Args:
        expected: As the suite has them.
        given: As the agent gave them.
        exact: They have to be equal. Otherwise mappings may have further keys, and texts are
            compared by their words, also with numbers ("5" and 5).
    """
    if isinstance(expected, bool) or isinstance(given, bool) or expected is None:
        return type(expected) is type(given) and bool(expected == given)
    if isinstance(expected, dict):
        if not isinstance(given, dict) or (exact and expected.keys() != given.keys()):
            return False
        return all(
            key in given and arguments_match(value, given[key], exact=exact)
            for key, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(given, list)
            and len(expected) == len(given)
            and all(map(lambda *pair: arguments_match(*pair, exact=exact), expected, given))
        )
    if isinstance(expected, int | float) and isinstance(given, int | float):
        return bool(expected == given)
    if exact or not isinstance(given, str | int | float):
        return bool(expected == given)
    # 3.10 and 0123 also match these texts.
    forms = {str(expected), getattr(expected, "written", str(expected))}
    return any(words_of(form) == words_of(str(given)) for form in forms)


def overlap_of(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the intersection over union of two boxes `[ymin, xmin, ymax, xmax]`, 0 to 1."""
    height = min(one[2], other[2]) - max(one[0], other[0])
    width = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, height) * max(0.0, width)
    union = _area(one) + _area(other) - shared
    return shared / union if union > 0 else 0.0


def _area(box: Sequence[float]) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def fits_tool(expected: ToolExpected, call: ToolCallRecord) -> bool:
    """Whether a call is of the expected tool with its arguments; cancelled ones are not."""
    if call.name != expected.name or call.cancelled:
        return False
    return expected.arguments is None or arguments_match(
        expected.arguments, call.arguments, exact=expected.exact
    )


def fits_point(expected: PointExpected, point: Point) -> bool:
    """Whether a point has the expected label and enough of the expected box."""
    if expected.label is not None and find_phrase(expected.label, words_of(point.label)) is None:
        return False
    return expected.box is None or overlap_of(expected.box, point.box_2d) >= expected.overlap
