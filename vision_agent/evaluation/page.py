"""The results of a run as one HTML file: expectations, results, frames and voices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vision_agent.evaluation.outcome import CaseOutcome, Status
from vision_agent.evaluation.results import CaseRate, SuiteResults
from vision_agent.evaluation.shown_media import ShownMedia, shown_media
from vision_agent.replay.page_parts import Html, figures, html, whole_page
from vision_agent.replay.report_page import conversation

MAX_MEDIA_CHARS = 30_000_000
"""The size of all frames and voices together."""

MOST_CALLS = 400
"""The calls that are shown one by one; the table has all."""

_MARKS: dict[Status, str] = {"passed": "✓", "failed": "✗", "error": "!"}
_BY_PASSED: dict[bool | None, Status] = {True: "passed", False: "failed", None: "error"}
# A page has another class of the name `error`.
_CLASSES: dict[Status, str] = {"passed": "passed", "failed": "failed", "error": "undecided"}
_WORDS: dict[Status, str] = {"passed": "passed", "failed": "failed", "error": "not decided"}

_STYLE = """
.passed { --mark: #1f9d61; } .failed { --mark: #d33; } .undecided { --mark: #b26a00; }
p.error, .mark { color: var(--mark, #d33); font-weight: 600; }
h2 { font-size: 1.2rem; margin: 2rem 0 .3rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1.5rem 0 .3rem; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
.rates th, .rates td { text-align: left; padding: .3rem 1rem .3rem 0; white-space: nowrap; }
.rates th:first-child, .rates td:first-child { white-space: normal; min-width: 9rem; opacity: 1;
  overflow-wrap: anywhere; }
.rates a { color: var(--mark); font-weight: 600; }
.verdicts td { overflow-wrap: anywhere; }
.verdicts td:first-child { width: 1.5rem; }
.verdicts td:nth-child(2) { width: 45%; }
details { border-left: 3px solid var(--mark); padding: .2rem 0 .2rem .8rem; margin: .5rem 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
.pictures { display: flex; flex-wrap: wrap; gap: .5rem; }
figure { margin: 0; max-width: 10rem; }
figure img { width: 100%; height: auto; border-radius: .2rem; }
figcaption { font-size: .8rem; opacity: .7; }
@media (max-width: 40rem) {
  .verdicts tr { display: grid; grid-template-columns: 1.5rem 1fr; }
  .verdicts td:nth-child(2) { width: auto; }
  .verdicts td:nth-child(3) { grid-column: 2; padding-top: 0; opacity: .8; }
}
"""


def results_page(results: SuiteResults) -> str:
    """Return the page: self-contained HTML. Reads the recordings of the calls.

    If there is not enough room for all calls, those that did not pass come first.

    Args:
        results: The run.
    """
    rates = results.rates()
    media, left_out = _media(results.outcomes)
    chosen = _first(results.outcomes, MOST_CALLS)
    numbers = {id(rate): number for number, rate in enumerate(rates, start=1)}
    parts = [
        _summary(results, rates),
        *(html("<p>{}</p>", note) for note in _notes(results, len(chosen), left_out)),
        *_matrices(rates, numbers),
        *(part for rate in rates for part in _case(rate, numbers[id(rate)], media, chosen)),
    ]
    suites = ", ".join(dict.fromkeys(rate.suite for rate in rates)) or "no suite"
    return whole_page(f"Evaluation of {suites}", parts, _STYLE)


def _first(outcomes: Sequence[CaseOutcome], most: int) -> dict[int, CaseOutcome]:
    """As many outcomes as there is room for, by their ids; those that did not pass come first."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.status == "passed")
    return {id(outcome): outcome for outcome in ordered[:most]}


def _media(outcomes: Sequence[CaseOutcome]) -> tuple[dict[int, ShownMedia], int]:
    """The frames and voices by the ids of outcomes, and the number of calls without them."""
    found: dict[int, ShownMedia] = {}
    room, left_out = MAX_MEDIA_CHARS, 0
    for key, outcome in _first(outcomes, MOST_CALLS).items():
        if outcome.recorded is None and outcome.received is None:
            continue
        if room <= 0:
            left_out += 1
            continue
        media = shown_media(outcome)
        if media.size > room:
            room, left_out = 0, left_out + 1
            continue
        found[key], room = media, room - media.size
    return found, left_out


def _summary(results: SuiteResults, rates: Sequence[CaseRate]) -> Html:
    def count(status: Status) -> str:
        return str(sum(rate.status == status for rate in rates))

    pairs = [
        ("passed", f"{count('passed')} of {len(rates)} cases"),
        ("failed", count("failed")),
        ("not decided", count("error")),
        ("calls", f"{len(results.outcomes)} of {results.planned}"),
        ("began", results.started.strftime("%Y-%m-%d %H:%M:%S %Z")),
        ("took", f"{results.took_s:.1f} s"),
    ]
    return figures(pairs)


def _notes(results: SuiteResults, calls: int, left_out: int) -> Iterator[str]:
    if results.interrupted:
        yield "The run was interrupted: what is missing was not called."
    if calls < len(results.outcomes):
        yield (
            f"{calls} of {len(results.outcomes)} calls are shown one by one, those that did not "
            "pass first."
        )
    if left_out:
        yield (
            f"The pictures and voices of {left_out} of the calls are left out: all are larger "
            f"than {MAX_MEDIA_CHARS // 1_000_000} MB."
        )


def _matrices(rates: Sequence[CaseRate], numbers: dict[int, int]) -> Iterator[Html]:
    """A table for each suite: how often each case passed with each agent and model."""
    for suite in dict.fromkeys(rate.suite for rate in rates):
        of_suite = [rate for rate in rates if rate.suite == suite]
        columns = list(dict.fromkeys((rate.agent, rate.model) for rate in of_suite))
        by_place = {(rate.case, rate.agent, rate.model): rate for rate in of_suite}
        yield html('<h2>{}</h2><div class="wide"><table class="rates"><tr><th>case</th>', suite)
        for agent, model in columns:
            yield html("<th>{}{}</th>", agent, html("<br>{}", model) if model else "")
        yield html("</tr>")
        for case in dict.fromkeys(rate.case for rate in of_suite):
            yield html("<tr><td>{}</td>", case)
            for column in columns:
                rate = by_place.get((case, *column))
                yield (
                    html("<td>not called</td>") if rate is None else _cell(rate, numbers[id(rate)])
                )
            yield html("</tr>")
        yield html("</table></div>")


def _cell(rate: CaseRate, number: int) -> Html:
    says = f"{_MARKS[rate.status]} {rate.passed}/{len(rate.outcomes)}"
    title = f"{_WORDS[rate.status]}; {rate.passes:.0%} have to pass"
    template = '<td class="{}"><a href="#case-{}" title="{}">{}</a></td>'
    return html(template, _CLASSES[rate.status], number, title, says)


def _case(
    rate: CaseRate, number: int, media: dict[int, ShownMedia], chosen: dict[int, CaseOutcome]
) -> Iterator[Html]:
    with_whom = " · ".join(filter(None, [rate.agent, rate.model]))
    yield html(
        '<h3 id="case-{}"><span class="{}"><span class="mark">{}</span></span> {} · {}</h3>',
        number,
        _CLASSES[rate.status],
        _MARKS[rate.status],
        rate.case,
        with_whom,
    )
    for outcome in rate.outcomes:
        if id(outcome) in chosen:
            yield from _call(outcome, media.get(id(outcome), ShownMedia()))


def _call(outcome: CaseOutcome, media: ShownMedia) -> Iterator[Html]:
    opened = "" if outcome.status == "passed" else " open"
    says = f"call {outcome.repeat}: {_WORDS[outcome.status]}, {outcome.took_s:.1f} s"
    template = '<details class="{}"{}><summary><span class="mark">{}</span> {}</summary>'
    yield html(template, _CLASSES[outcome.status], opened, _MARKS[outcome.status], says)
    if outcome.error is not None:
        yield html('<p class="error">{}</p>', outcome.error)
    if outcome.caller:
        yield html("<p>The caller was played by a model. {}</p>", outcome.caller)
    if outcome.verdicts:
        yield html('<table class="verdicts">')
        for one in outcome.verdicts:
            status = _BY_PASSED[one.passed]
            yield html(
                '<tr class="{}"><td><span class="mark" title="{}">{}</span></td><td>{}</td>'
                "<td>{}</td></tr>",
                _CLASSES[status],
                _WORDS[status],
                _MARKS[status],
                one.expectation,
                one.came,
            )
        yield html("</table>")
    yield from media.parts
    if (report := outcome.report) is not None:
        yield from (html('<p class="error">{}</p>', error) for error in report.errors)
        if report.ended and report.ended != "answered":
            yield html("<p>The call ended: {}</p>", report.ended)
        yield from conversation(report)
    yield html("</details>")
