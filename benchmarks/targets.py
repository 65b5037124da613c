"""The promises that the comparison checks, and whether they are kept. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Measure = dict[str, Any]
Rounds = Sequence[Sequence[Measure]]


@dataclass(frozen=True)
class Verdict:
    """One promise.

    Attributes:
        promise: In words.
        bound: What the figure must not exceed; None for figures that are only shown.
        figure: Median over the rounds; None if a row it needs wasn't measured.
        unit: "ratio", "ms" or "% of a core".
        rounds: The figure of each round.
        met: Whether the promise is kept; None without a bound or a figure.
    """

    promise: str
    bound: float | None
    figure: float | None
    unit: str
    rounds: list[float]
    met: bool | None


def judge(rounds: Rounds) -> list[Verdict]:
    """Compare what was measured with what is promised."""
    return [
        _ratio(rounds, "30 fps call, CPU against FastRTC's demo", "media30", "fastrtc30", 0.5),
        _ratio(rounds, "30 fps call, CPU against bare aiortc", "media30", "floor30", 1.0),
        _ratio(rounds, "2 fps call, CPU against bare aiortc at 30 fps", "media2", "floor30", 0.6),
        _ratio(rounds, "2 fps call, CPU against bare aiortc at 2 fps", "media2", "floor2", None),
        _echo(rounds, "echo through the media path, median", "media-echo", 60.0),
        _echo(rounds, "echo through bare aiortc, median", "floor-echo", None),
        _ratio(
            rounds, "serve alone, 30 fps, CPU against bare aiortc", "product30", "floor30", None
        ),
        _ratio(rounds, "serve alone, 2 fps, CPU against bare aiortc", "product2", "floor30", None),
        _more(rounds, "recording a 30 fps call, CPU beside not", "record30", "product30", 2.0),
    ]


def _ratio(rounds: Rounds, promise: str, name: str, against: str, bound: float | None) -> Verdict:
    def of(measures: dict[str, Measure]) -> float:
        return float(measures[name]["cpu_pct"] / measures[against]["cpu_pct"])

    return _verdict(rounds, promise, (name, against), of, bound, "ratio")


def _more(rounds: Rounds, promise: str, name: str, against: str, bound: float) -> Verdict:
    def of(measures: dict[str, Measure]) -> float:
        return float(measures[name]["cpu_pct"] - measures[against]["cpu_pct"])

    return _verdict(rounds, promise, (name, against), of, bound, "% of a core")


def _echo(rounds: Rounds, promise: str, name: str, bound: float | None) -> Verdict:
    def of(measures: dict[str, Measure]) -> float:
        return statistics.median(measures[name]["echo_ms"])

    return _verdict(rounds, promise, (name,), of, bound, "ms")


def _verdict(
    rounds: Rounds,
    promise: str,
    needs: tuple[str, ...],
    figure_of: Callable[[dict[str, Measure]], float],
    bound: float | None,
    unit: str,
) -> Verdict:
    figures = []
    for measures in rounds:
        by_name = {measure["row"]: measure for measure in measures}
        if all(name in by_name for name in needs):
            figures.append(figure_of(by_name))
    figure = statistics.median(figures) if figures else None
    met = None if bound is None or figure is None else figure <= bound
    return Verdict(promise, bound, figure, unit, figures, met)
