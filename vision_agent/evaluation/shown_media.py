"""The frames and the voices of a call, as the page of a run holds them."""

from __future__ import annotations

import base64
import logging
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from vision_agent.caller.cut import Cut
from vision_agent.caller.media_file import BadRecording, titles
from vision_agent.caller.recording import SOUND_RATE_HZ, Samples, read_sound
from vision_agent.evaluation.outcome import CaseOutcome
from vision_agent.evaluation.received_voices import LONGEST_S
from vision_agent.evaluation.seen_frames import RecordedFrame, seen_frames
from vision_agent.jpeg import to_jpeg
from vision_agent.recordings.recorded_call import MEDIA_FILE
from vision_agent.replay.page_parts import Html, html, ogg, opus

_log = logging.getLogger(__name__)

MOST_FRAMES = 8
LONGER_SIDE_PX = 320
_VOICES = ("caller", "agent")
_SIDES = "The caller is on the left, the agent on the right"
_QUALITIES = (75, 50, 30)
_MAX_FRAME_BYTES = 30_000


@dataclass(frozen=True, slots=True)
class ShownMedia:
    """A call's part of the page.

    Attributes:
        parts: HTML.
    """

    parts: tuple[Html, ...] = ()

    @property
    def size(self) -> int:
        """Its length in characters."""
        return sum(map(len, self.parts))


def shown_media(outcome: CaseOutcome) -> ShownMedia:
    """Read the frames that the model saw, and both voices, from the files of a call."""
    folder = outcome.recorded
    if folder is None:
        return ShownMedia(tuple(_received(outcome.received)))
    begins_ms = (outcome.report and outcome.report.connected_ms) or 0
    frames, kept = seen_frames(folder, MOST_FRAMES)
    parts: list[Html] = []
    if frames:
        figures = Html("".join(_figure(one, begins_ms + one.at_ms) for one in frames))
        what = f"{len(frames)} of {kept} pictures" if len(frames) < kept else "The pictures"
        parts.append(html("<p>{} that the model saw:</p>", what))
        parts.append(html('<div class="pictures">{}</div>', figures))
    if (voices := _voices(folder / MEDIA_FILE)) is not None:
        parts += voices
    return ShownMedia(tuple(parts))


def _received(file: Path | None) -> list[Html]:
    """Both voices as the caller had them; a server that is not ours keeps the frames."""
    if file is None:
        return []
    try:
        sound = file.read_bytes()
    except OSError as error:
        _log.warning("The voices of a call can't be played: %s", error)
        return []
    cut = f"; the first {LONGEST_S / 60:g} minutes at most"
    return [ogg(sound), html("<p>{}, as the caller had them{}.</p>", _SIDES, cut)]


def _figure(frame: RecordedFrame, at_ms: int) -> Html:
    pixels = cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        return Html()
    height, width = pixels.shape[:2]
    scale = min(1.0, LONGER_SIDE_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    jpeg, _ = to_jpeg(small.astype(np.uint8, copy=False), _MAX_FRAME_BYTES, _QUALITIES)
    says = f"{at_ms / 1000:.1f} s, {frame.source}"
    return html(
        '<figure><img src="data:image/jpeg;base64,{}" alt="{}" width="{}" height="{}">'
        "<figcaption>{}</figcaption></figure>",
        Html(base64.b64encode(jpeg).decode()),
        f"What the model saw at {says}",
        *size,
        says,
    )


def _voices(media: Path) -> list[Html] | None:
    try:
        found = titles(media)
        sounds = {
            name: read_sound(media, Cut(0.0, LONGEST_S, name)) for name in _VOICES if name in found
        }
    except BadRecording as error:
        _log.warning("The voices of a call can't be played: %s", error)
        return None
    audible = {name: sound for name, sound in sounds.items() if len(sound)}
    if not audible:
        return None
    length = max(map(len, audible.values()))
    samples = [_padded(sound, length) for sound in audible.values()]
    says = _SIDES
    if len(audible) == 1:
        says = f"The {next(iter(audible))} alone; the other side has no sound"
    cut = length >= LONGEST_S * SOUND_RATE_HZ
    beginning = f"; the first {LONGEST_S / 60:g} minutes" if cut else ""
    return [opus(np.stack(samples, axis=1), SOUND_RATE_HZ), html("<p>{}{}.</p>", says, beginning)]


def _padded(sound: Samples, length: int) -> Samples:
    return np.pad(sound, (0, length - len(sound)))
