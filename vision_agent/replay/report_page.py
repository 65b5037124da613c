"""A report as one HTML file: the conversation, its timeline and the agent's voice."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from html import escape
from typing import Any, NamedTuple

import av

from vision_agent.caller.recording import SOUND_RATE_HZ, Samples
from vision_agent.replay.report import Report
from vision_agent.terminal import printable

_NAMES = {"user": "Caller", "agent": "Agent"}
# A shorter bar would be invisible.
_LEAST_BAR_PER_MILLE = 3.0

# The page shows what a server has sent: nothing in it is ever executed or loaded.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; media-src data:"

_STYLE = """
:root { color-scheme: light dark; --caller: #2f6fde; --agent: #1f9d61; --tool: #b26a00; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin-bottom: 0; overflow-wrap: anywhere; }
.no, .error { color: #d33; }
dl { display: flex; flex-wrap: wrap; gap: 1rem 2rem; }
dt { font-size: .85rem; opacity: .7; }
dd { margin: 0; font-size: 1.2rem; }
.lane { display: grid; grid-template-columns: 4rem 1fr; align-items: center; margin: .3rem 0; }
.bars { position: relative; height: 1.4rem; background: #8882; border-radius: .2rem; }
.bars i { position: absolute; top: 0; bottom: 0; border-radius: .2rem; }
.caller { background: var(--caller); }
.agent { background: var(--agent); }
.tool { background: var(--tool); }
table { border-collapse: collapse; width: 100%; }
td { padding: .3rem .8rem .3rem 0; vertical-align: top; }
td:last-child { overflow-wrap: anywhere; }
td:first-child { white-space: nowrap; opacity: .7; font-variant-numeric: tabular-nums; }
audio { width: 100%; }
"""


class _Bar(NamedTuple):
    start_ms: int
    end_ms: int
    says: str


class _Html(str):
    """Text that is HTML."""

    __slots__ = ()


def _html(template: str, *values: object) -> _Html:
    """Fill a template; the only way to HTML here. Values are escaped unless they are HTML."""
    texts = (value if isinstance(value, _Html) else escape(str(value)) for value in values)
    return _Html(template.format(*texts))


def report_page(report: Report, title: str) -> str:
    """Return the page: self-contained HTML, the agent's voice included.

    Args:
        report: The call.
        title: The page's title, such as the name of the recording.
    """
    verdict = _html("Answered." if report.answered else '<b class="no">Not answered.</b>')
    ended = f" The call ended: {report.ended}" if report.ended != "answered" else ""
    parts = [
        _html("<!doctype html><html lang=en><meta charset=utf-8>"),
        _html('<meta http-equiv=Content-Security-Policy content="{}">', _POLICY),
        _html('<meta name=viewport content="width=device-width"><title>{}</title>', title),
        _html("<style>{}</style><h1>{}</h1>", _Html(_STYLE), title),
        _html("<p>{}{}</p>", verdict, ended),
        *(_html('<p class="error">{}</p>', error) for error in report.errors),
        _html("<dl>"),
        *(_html("<div><dt>{}</dt><dd>{}</dd></div>", *figure) for figure in _figures(report)),
        _html("</dl>"),
        *_voice(report),
        *_timeline(report),
        _html("<table>"),
        *(
            _html("<tr><td>{} s</td><td>{}</td><td>{}</td></tr>", f"{at_ms / 1000:.1f}", who, what)
            for at_ms, who, what in sorted(_events(report), key=lambda event: event[0])
        ),
        _html("</table></html>"),
    ]
    return printable("\n".join(parts) + "\n")


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


def _voice(report: Report) -> Iterator[_Html]:
    samples = report.voice.samples()
    if not len(samples) or not report.voice_ms:
        return
    sound = base64.b64encode(_opus(samples)).decode()
    yield _html('<audio controls src="data:audio/ogg;base64,{}"></audio>', sound)
    yield _html("<p>The agent's voice, from {} s on.</p>", f"{report.voice_ms[0][0] / 1000:.1f}")


def _timeline(report: Report) -> Iterator[_Html]:
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
        yield _html('<div class="lane"><span>{}</span><div class="bars">', kind.title())
        for bar in bars:
            start = 1000 * bar.start_ms / whole_ms
            length = max(_LEAST_BAR_PER_MILLE, 1000 * (bar.end_ms - bar.start_ms) / whole_ms)
            says = f"{bar.start_ms / 1000:.1f} to {bar.end_ms / 1000:.1f} s: {bar.says}"
            place = f"left:min({start / 10:.2f}%, 100% - 3px);width:{length / 10:.2f}%"
            yield _html('<i class="{}" style="{}" title="{}"></i>', kind, place, says)
        yield _html("</div></div>")
    whole = f"0 to {whole_ms / 1000:.1f} s, from the moment the caller began to dial."
    yield _html("<p>{}</p>", whole)


def _events(report: Report) -> Iterator[tuple[int, str, str]]:
    for line in report.transcript:
        name = line.agent if line.who == "agent" and line.agent else _NAMES.get(line.who, line.who)
        yield line.at_ms, name, line.text
    for call in report.tool_calls:
        given = json.dumps(call.arguments, ensure_ascii=False)
        result = "cancelled" if call.cancelled else json.dumps(call.result, ensure_ascii=False)
        yield call.at_ms, "Tool", _html("<b>{}</b> {} → {}", call.name, given, result)
    for point in report.points:
        yield point.at_ms, "Points", f"{point.label} at {point.box_2d}"


def _opus(samples: Samples) -> bytes:
    """Encode as Ogg Opus, a tenth of the size of a WAV: the page embeds it as text."""
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=SOUND_RATE_HZ, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = SOUND_RATE_HZ, 0
        frame.time_base = Fraction(1, SOUND_RATE_HZ)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()
