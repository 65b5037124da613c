"""Parts of self-contained HTML pages: each page is one file that loads nothing. Pure."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from fractions import Fraction
from html import escape

import av
import numpy as np
import numpy.typing as npt

from vision_agent.terminal import printable

# A page shows what servers have sent: nothing in it is ever executed or loaded.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; media-src data:; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)

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


class Html(str):
    """Text that is HTML."""

    __slots__ = ()


def html(template: str, *values: object) -> Html:
    """Fill a template. Values are escaped unless they are `Html`; all HTML is made here."""
    texts = (
        value if isinstance(value, Html) else escape(printable(str(value))) for value in values
    )
    return Html(template.format(*texts))


def whole_page(title: str, parts: Iterable[Html], style: str = "") -> str:
    """The text of a page.

    Args:
        title: Its title and first heading.
        parts: The parts below the heading.
        style: CSS beside that of all pages.
    """
    lines = [
        html("<!doctype html><html lang=en><meta charset=utf-8>"),
        html('<meta http-equiv=Content-Security-Policy content="{}">', _POLICY),
        html('<meta name=viewport content="width=device-width"><title>{}</title>', title),
        html("<style>{}</style><h1>{}</h1>", Html(_STYLE + style), title),
        *parts,
        html("</html>"),
    ]
    return "\n".join(lines) + "\n"


def figures(pairs: Iterable[tuple[str, str]]) -> Html:
    """Names and their values, in a row."""
    shown = (html("<div><dt>{}</dt><dd>{}</dd></div>", *pair) for pair in pairs)
    return Html(f"<dl>{''.join(shown)}</dl>")


def opus(samples: npt.NDArray[np.int16], rate_hz: int) -> Html:
    """A player of a sound, embedded as Ogg Opus: a tenth of the size of a WAV.

    Args:
        samples: Mono, or `(samples, 2)` for left and right.
        rate_hz: 48000, 24000, 16000, 12000 or 8000.
    """
    return ogg(_ogg(samples, rate_hz))


def ogg(file: bytes) -> Html:
    """A player of an embedded Ogg file."""
    sound = Html(base64.b64encode(file).decode())
    return html('<audio controls src="data:audio/ogg;base64,{}"></audio>', sound)


def _ogg(samples: npt.NDArray[np.int16], rate_hz: int) -> bytes:
    layout = "mono" if samples.ndim == 1 else "stereo"
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=rate_hz, layout=layout)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate, frame.pts = rate_hz, 0
        frame.time_base = Fraction(1, rate_hz)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()
