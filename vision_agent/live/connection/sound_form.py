"""Brings the sound of an answer into the one form that this package plays. No I/O."""

from __future__ import annotations

import logging
import re

import numpy as np
from google.genai import types

from vision_agent.live.connection.answer_splice import OUTPUT_MIME
from vision_agent.resampler import Resampler

logger = logging.getLogger(__name__)

RATE_HZ = 24_000
_RATES_HZ = range(8000, 48_001)
# `audio/L16` is big-endian (RFC 2586 2), and Google's, which says `codec=pcm`, is not.
_PCM = re.compile(r"audio/(?:pcm|l16\s*;\s*codec\s*=\s*pcm)\s*(?:;|$)", re.IGNORECASE)
_RATE = re.compile(r";\s*rate\s*=\s*(\d{1,9})\b", re.IGNORECASE)
_CHANNELS = re.compile(r";\s*channels\s*=\s*(?!1\b)", re.IGNORECASE)


class SoundForm:
    """Converts the sound of a conversation to s16le mono, 24 kHz, whatever the service sends.

    The Live API sends that form. A server in its place may send another one.
    """

    def __init__(self) -> None:
        self._resampler: Resampler | None = None
        self._half = b""
        self._refused = False

    def received(self, message: types.LiveServerMessage) -> str | None:
        """Changes a message's sound in place.

        Returns:
            A sentence for the caller about sound that can't be played; for the first of it only.
        """
        turn = message.server_content and message.server_content.model_turn
        why = None
        for part in (turn and turn.parts) or []:
            blob = part.inline_data
            mime = (blob and blob.mime_type) or ""
            if blob is None or mime == OUTPUT_MIME or not mime.lower().startswith("audio/"):
                continue
            found = _RATE.search(mime)
            rate_hz = int(found[1]) if found else RATE_HZ
            if not _PCM.match(mime) or _CHANNELS.search(mime) or rate_hz not in _RATES_HZ:
                why = why or self._refuse(mime)
                part.inline_data = None
            elif blob.data:
                data = blob.data if rate_hz == RATE_HZ else self._resampled(blob.data, rate_hz)
                part.inline_data = types.Blob(data=data, mime_type=OUTPUT_MIME)
        return why

    def _resampled(self, pcm: bytes, rate_hz: int) -> bytes:
        if self._resampler is None or self._resampler.from_hz != rate_hz:
            self._resampler = Resampler(rate_hz, RATE_HZ)
        pcm = self._half + pcm
        whole = len(pcm) & ~1
        self._half = pcm[whole:]
        return self._resampler.feed(np.frombuffer(pcm[:whole], np.int16))

    def _refuse(self, mime: str) -> str | None:
        if self._refused:
            return None
        self._refused = True
        shown = re.sub(r"[^ -~]", "?", mime[:60])
        logger.warning("the model service sends sound that can't be played: %s", shown)
        return f"The model's voice can't be played: it is sent as {shown}, not as PCM."
