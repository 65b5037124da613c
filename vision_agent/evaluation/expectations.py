"""Compares a call's report with the expectations. Pure: a report in, verdicts out."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from vision_agent.evaluation.expected import (
    CostExpected,
    Expectation,
    InterruptionExpected,
    PointExpected,
    ReplyTimeExpected,
    SilenceExpected,
    ToolExpected,
    WordsExpected,
)
from vision_agent.evaluation.in_words import (
    calls_in_words,
    clipped,
    place,
    pointed_in_words,
    quoted,
    said_in_words,
    times,
    tool_in_words,
)
from vision_agent.evaluation.matching import fits_point, fits_tool, overlap_of
from vision_agent.evaluation.order import in_order
from vision_agent.evaluation.outcome import CaseVerdict
from vision_agent.evaluation.turns import CallTurns, reply_of
from vision_agent.evaluation.words import find_phrase, words_of
from vision_agent.replay.report import Report

_ANSWERS = Expectation(answers=True)


def verdicts(
    expected: Sequence[Expectation],
    report: Report,
    judged: Mapping[str, tuple[bool | None, str]] | None = None,
) -> list[CaseVerdict]:
    """Return a verdict on each expectation.

    The agent is also expected to answer, unless the expectations are about silence or say
    otherwise: a call in which nothing happened must not pass because nothing wrong was said.

    Args:
        expected: The expectations.
        report: The call.
        judged: A judge's answers, by claim.
    """
    turns = CallTurns.of(report)
    spoken_of = any(each.silence or each.answers is not None for each in expected)
    implied = [] if spoken_of else [_ANSWERS]
    return [_verdict(each, report, turns, judged or {}) for each in (*implied, *expected)]


def _verdict(
    expectation: Expectation,
    report: Report,
    turns: CallTurns,
    judged: Mapping[str, tuple[bool | None, str]],
) -> CaseVerdict:
    one = expectation
    if one.turn is not None and turns.is_mute(one.turn):
        words = f"expected of turn {one.turn}"
        return CaseVerdict(words, False, f"Nobody is heard to speak in turn {one.turn}.")
    if one.turn is not None and one.turn > len(turns):
        words = f"expected of turn {one.turn}"
        return CaseVerdict(words, False, f"The call ended before turn {one.turn}: {report.ended}")
    if one.said is not None:
        return _words_said(one.said, "agent", report, turns)
    if one.heard is not None:
        return _words_said(one.heard, "user", report, turns)
    if one.tool is not None:
        return _tool(one.tool, report, turns)
    if one.pointed is not None:
        return _pointed(one.pointed, report, turns)
    if one.order is not None:
        return in_order(one.order, report, turns)
    if one.silence is not None:
        return _silence(one.silence, report, turns)
    if one.reply_ms is not None:
        return _reply_time(one.reply_ms, turns)
    if one.interrupted is not None:
        return _interrupted(one.interrupted, report, turns)
    if one.cost is not None:
        return _cost(one.cost, report)
    if one.no_errors is not None:
        return _errors(report, none=one.no_errors)
    if one.answers is not None:
        return _answers(report, turns, wanted=one.answers)
    claim = one.judge or ""
    passed, reason = judged.get(claim, (None, "No judge was asked."))
    return CaseVerdict(f"judge: {claim}", passed, reason)


def _words_said(said: WordsExpected, who: str, report: Report, turns: CallTurns) -> CaseVerdict:
    begin_ms, end_ms = turns.window(said.turn)
    text = " ".join(
        line.text
        for line in report.transcript
        if line.who == who and begin_ms <= line.at_ms < end_ms
    )
    words = words_of(text)
    missing = [phrase for phrase in said.words if find_phrase(phrase, words) is None]
    unwanted = [phrase for phrase in said.never if find_phrase(phrase, words) is not None]
    has_any = not said.any or any(find_phrase(one, words) is not None for one in said.any)
    passed = has_any and not missing and not unwanted
    subject = "The agent said" if who == "agent" else "Understood"
    came = f"{subject}: {clipped(text)}" if text else f"{subject} nothing."
    if unwanted or (missing and len(said.words) > 1):
        reason = f"said {quoted(unwanted, 'and')}" if unwanted else f"no {quoted(missing, 'and')}"
        came = f"{came} ({reason})"
    return CaseVerdict(said_in_words(said, who), passed, came)


def _tool(tool: ToolExpected, report: Report, turns: CallTurns) -> CaseVerdict:
    begin_ms, end_ms = turns.window(tool.turn)
    calls = [call for call in report.tool_calls if begin_ms <= call.at_ms < end_ms]
    count = sum(fits_tool(tool, call) for call in calls)
    passed = count > 0 if tool.times is None else count == tool.times
    return CaseVerdict(tool_in_words(tool), passed, calls_in_words(calls))


def _pointed(pointed: PointExpected, report: Report, turns: CallTurns) -> CaseVerdict:
    begin_ms, end_ms = turns.window(pointed.turn)
    points = [point for point in report.points if begin_ms <= point.at_ms < end_ms]
    passed = any(fits_point(pointed, point) for point in points)
    shown = []
    for point in points:
        overlap = "" if pointed.box is None else f" (overlap {_share(pointed, point.box_2d)})"
        shown.append(f"“{point.label}” at {point.box_2d}{overlap}")
    came = f"Pointed at {'; '.join(shown)}." if shown else "The agent pointed at nothing."
    return CaseVerdict(pointed_in_words(pointed), passed, clipped(came))


def _share(pointed: PointExpected, box: Sequence[int]) -> str:
    return f"{overlap_of(pointed.box or (), box):.2f}"


def _silence(silence: SilenceExpected, report: Report, turns: CallTurns) -> CaseVerdict:
    number = silence.after or len(turns)
    words = f"the agent says nothing for {silence.for_s:g} s"
    words += f" after turn {silence.after}" if silence.after is not None else ""
    begin_ms = turns.utterances[number - 1][-1].ended_at_ms if number else 0
    end_ms = begin_ms + round(silence.for_s * 1000)
    voice = [start for start, end in report.voice_ms if start < end_ms and end > begin_ms]
    lines = [
        line.at_ms
        for line in report.transcript
        if line.who == "agent" and begin_ms <= line.at_ms < end_ms
    ]
    if voice or lines:
        spoke_ms = max(begin_ms, min([*voice, *lines])) - begin_ms
        return CaseVerdict(words, False, f"It spoke after {spoke_ms / 1000:.1f} s.")
    if report.ended_ms is not None and report.ended_ms < end_ms:
        # A call that broke off, or ended too early, shows nothing about silence.
        lasted_s = max(0, report.ended_ms - begin_ms) / 1000
        came = f"The call lasted only {lasted_s:.1f} s longer: {report.ended.rstrip('.')}."
        return CaseVerdict(words, False, clipped(came))
    return CaseVerdict(words, True, "It said nothing.")


def _reply_time(bounds: ReplyTimeExpected, turns: CallTurns) -> CaseVerdict:
    limits = {"at most": bounds.max, "in the median": bounds.median}
    parts = [f"within {value} ms {name}" for name, value in limits.items() if value is not None]
    words = f"the agent answers {' and '.join(parts)}{place(bounds)}"
    # Words that the caller adds, or cuts in with, need no answer of their own.
    replies = [reply_of(turn) for turn in turns.chosen(bounds)]
    known = [reply for reply in replies if reply is not None]
    if not known:
        return CaseVerdict(words, False, "No turn was answered.")
    most, median = max(known), round(statistics.median(known))
    passed = (bounds.max is None or most <= bounds.max) and (
        bounds.median is None or median <= bounds.median
    )
    came = (
        f"Answered after {most} ms."
        if len(known) == 1
        else f"Answered after {most} ms at most, {median} ms in the median."
    )
    return CaseVerdict(words, passed, came)


def _interrupted(wanted: InterruptionExpected, report: Report, turns: CallTurns) -> CaseVerdict:
    silenced = [
        said.silenced_ms
        for turn in turns.chosen(wanted)
        for said in turn
        if said.silenced_ms is not None
    ]
    bound = "" if wanted.within_ms is None else f" within {wanted.within_ms} ms"
    verb = "falls silent when the caller cuts in" if wanted.happens else "is not interrupted"
    words = f"the agent {verb}{bound}{place(wanted)}"
    begin_ms, end_ms = turns.window(wanted.turn)
    count = sum(begin_ms <= at_ms < end_ms for at_ms in report.interrupted_ms)
    happened = bool(silenced) and count > 0
    came = "Nobody cut in." if not silenced else f"Silent after {max(silenced)} ms"
    came += f"; {times(count)} interrupted." if silenced else ""
    if not wanted.happens:
        if count and not silenced:
            came = f"Interrupted {times(count)}."
        return CaseVerdict(words, count == 0, came)
    is_quick = wanted.within_ms is None or all(each <= wanted.within_ms for each in silenced)
    return CaseVerdict(words, happened and is_quick, came)


def _cost(cost: CostExpected, report: Report) -> CaseVerdict:
    words = f"the call costs at most {cost.max:g}"
    usage = report.usage or {}
    estimate = usage.get("estimate")
    if isinstance(estimate, bool) or not isinstance(estimate, int | float):
        reason = usage.get("note") or "The server named no price."
        return CaseVerdict(words, None, clipped(str(reason)))
    currency = clipped(str(usage.get("currency") or ""), 20)
    return CaseVerdict(words, estimate <= cost.max, f"{estimate:.4g} {currency} by list prices.")


def _errors(report: Report, *, none: bool) -> CaseVerdict:
    came = clipped(" ".join(report.errors)) if report.errors else "There were none."
    words = "there are no errors" if none else "there are errors"
    return CaseVerdict(words, bool(report.errors) != none, came)


def _answers(report: Report, turns: CallTurns, *, wanted: bool) -> CaseVerdict:
    words = "the agent answers" if wanted else "the agent does not answer"
    # An agent that answers in text has no voice to wait for.
    spoken = bool(report.voice_ms) and len(turns) > 0
    answered = report.answered and not (spoken and reply_of(turns.utterances[-1]) is None)
    if answered:
        return CaseVerdict(words, wanted, "It answered.")
    ended = report.ended.rstrip(".")
    # In a call that broke off, the agent might still have answered.
    met = not wanted and not report.broke_off
    further = (error for error in report.errors if error.rstrip(".") != ended)
    came = clipped(" ".join([f"Not answered to the end: {ended}.", *further]))
    return CaseVerdict(words, met, came)
