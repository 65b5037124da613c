"""A report as one HTML file: the conversation, its timeline and the agent's voice."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from vision_agent.caller.recording import SOUND_RATE_HZ
from vision_agent.replay.comparison import ComparedRow, differences
from vision_agent.replay.page_parts import Html, figures, html, opus, whole_page
from vision_agent.replay.report import Report

_NAMES = {"user": "Caller", "agent": "Agent"}
# A shorter bar would be invisible.
_LEAST_BAR_PER_MILLE = 3.0


class _Bar(NamedTuple):
    start_ms: int
    end_ms: int
    says: str


def report_page(report: Report, title: str, compared: Sequence[ComparedRow] = ()) -> str:
    """Return the page: self-contained HTML, the agent's voice included.

    Args:
        report: The call.
        title: The page's title, such as the name of the recording.
        compared: The call beside the recorded one that it repeats.
    """
    verdict = html("Answered." if report.answered else '<b class="no">Not answered.</b>')
    ended = f" The call ended: {report.ended}" if report.ended != "answered" else ""
    parts = [
        html("<p>{}{}</p>", verdict, ended),
        *(html('<p class="error">{}</p>', error) for error in report.errors),
        figures(_figures(report)),
        *_voice(report),
        *conversation(report),
        *_comparison(compared),
    ]
    return whole_page(title, parts)


def conversation(report: Report) -> Iterator[Html]:
    """The timeline, and everything that was said and done, in the order in which it happened."""
    yield from _timeline(report)
    yield html("<table>")
    for at_ms, who, what in sorted(_events(report), key=lambda event: event[0]):
        yield html("<tr><td>{} s</td><td>{}</td><td>{}</td></tr>", f"{at_ms / 1000:.1f}", who, what)
    yield html("</table>")


def _comparison(rows: Sequence[ComparedRow]) -> Iterator[Html]:
    if not rows:
        return
    yield html("<h2>Differences from the recorded call: {}</h2>", differences(rows))
    yield html("<table><tr><td></td><td>Recorded call</td><td>This call</td></tr>")
    for row in rows:
        what = f"{row.turn}. {row.what}" if row.turn else row.what
        second = html('<b class="no">{}</b>', row.second) if row.same is False else row.second
        yield html("<tr><td>{}</td><td>{}</td><td>{}</td></tr>", what, row.first, second)
    yield html("</table>")


def _figures(report: Report) -> Iterator[tuple[str, str]]:
    def ms(value: int | None) -> str:
        return "never" if value is None else f"{value} ms"

    yield "connected after", ms(report.connected_ms)
    yield "answered after", ms(report.reply_ms)
    size = f", {report.jpeg_bytes / 1000:.1f} kB each" if report.jpeg_bytes else ""
    yield "pictures", f"{report.frames_sent}{size}"
    yield "picture's age", ms(report.frame_age_ms)
    yield "agent's voice", f"{report.agent_audio_ms / 1000:.1f} s"
    yield "interruptions", str(report.interruptions)
    if report.usage is not None:
        yield from _usage(report.usage)


def _usage(usage: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    tokens = usage.get("tokens")
    for kind, found in tokens.items() if isinstance(tokens, dict) else ():
        counts = found if isinstance(found, dict) else {}
        text = ", ".join(f"{count} {modality}" for modality, count in counts.items())
        yield f"tokens, {kind}", text
    amount, note = usage.get("estimate"), str(usage.get("note") or "")
    if isinstance(amount, int | float):
        prices = f" (list prices of {usage['prices_of']})" if usage.get("prices_of") else ""
        yield "estimated cost", f"{amount:.4f} {usage.get('currency', '')}{prices} {note}".strip()
    else:
        yield "estimated cost", note or "no price known"


def _voice(report: Report) -> Iterator[Html]:
    samples = report.voice.samples()
    if not len(samples) or not report.voice_ms:
        return
    yield opus(samples, SOUND_RATE_HZ)
    yield html("<p>The agent's voice, from {} s on.</p>", f"{report.voice_ms[0][0] / 1000:.1f}")


def _timeline(report: Report) -> Iterator[Html]:
    lanes = {
        "caller": [
            _Bar(said.started_at_ms, said.ended_at_ms, f"answered after {said.reply_ms} ms")
            if said.reply_ms is not None
            else _Bar(said.started_at_ms, said.ended_at_ms, "no answer of its own")
            for said in report.utterances
        ],
        "agent": [_Bar(start_ms, end_ms, "voice") for start_ms, end_ms in report.voice_ms],
        "tool": [
            _Bar(call.at_ms, call.at_ms if call.ended_ms is None else call.ended_ms, call.name)
            for call in report.tool_calls
        ],
    }
    whole_ms = max((bar.end_ms for bars in lanes.values() for bar in bars), default=0)
    if not whole_ms:
        return
    for kind, bars in lanes.items():
        if not bars:
            continue
        yield html('<div class="lane"><span>{}</span><div class="bars">', kind.title())
        for bar in bars:
            start = 1000 * bar.start_ms / whole_ms
            length = max(_LEAST_BAR_PER_MILLE, 1000 * (bar.end_ms - bar.start_ms) / whole_ms)
            says = f"{bar.start_ms / 1000:.1f} to {bar.end_ms / 1000:.1f} s: {bar.says}"
            place = f"left:min({start / 10:.2f}%, 100% - 3px);width:{length / 10:.2f}%"
            yield html('<i class="{}" style="{}" title="{}"></i>', kind, place, says)
        yield html("</div></div>")
    whole = f"0 to {whole_ms / 1000:.1f} s, from the moment the caller began to dial."
    yield html("<p>{}</p>", whole)


def _events(report: Report) -> Iterator[tuple[int, str, str]]:
    for line in report.transcript:
        name = line.agent if line.who == "agent" and line.agent else _NAMES.get(line.who, line.who)
        yield line.at_ms, name, line.text
    for said in report.utterances:
        if said.typed is not None:
            yield said.started_at_ms, f"{_NAMES['user']}, typed", said.typed
    for said in report.utterances:
        if said.typed is not None:
            yield said.started_at_ms, "Caller typed", said.typed
    for call in report.tool_calls:
        given = json.dumps(call.arguments, ensure_ascii=False)
        result = "cancelled" if call.cancelled else json.dumps(call.result, ensure_ascii=False)
        yield call.at_ms, "Tool", html("<b>{}</b> {} → {}", call.name, given, result)
    for point in report.points:
        yield point.at_ms, "Points", f"{point.label} at {point.box_2d}"
