"""The stub that replaces the model in every server of the comparison, so that all do the same job.

The job: 16 kHz PCM from the caller's sound, one JPEG a second from the caller's frames, and a
24 kHz tone back. The 1st, 3rd, 5th … burst of the caller's microphone is a question: ten seconds
of tone are handed over at once, as a model streams faster than real time. The 2nd, 4th … comes
while that tone plays, and interrupts it: the rest is dropped. The n-th answer is a tone of
`TONES_HZ[n % 4]`, so a caller can tell an answer from the one before.

In the echo job, a loud chunk goes straight back instead, and a quiet one is dropped: this measures
the media path alone.

numpy only: the servers of other projects run this in their own environments.
"""

import sys

import numpy as np

TONES_HZ = (600, 800, 1000, 1200)
ANSWER_CHUNKS = 500  # of 20 ms
RATE_IN_HZ = 16_000
RATE_OUT_HZ = 24_000
_LOUD = 2000
_PAUSE_SAMPLES = RATE_IN_HZ * 3 // 10

_TIMES_S = np.arange(RATE_OUT_HZ // 50) / RATE_OUT_HZ
# 20 ms hold a whole number of periods of each tone, so that chunks join without a click.
TONE_CHUNKS = [(np.sin(2 * np.pi * hz * _TIMES_S) * 12_000).astype(np.int16) for hz in TONES_HZ]
QUIET_CHUNK = np.zeros(RATE_OUT_HZ // 50, np.int16)


class Turns:
    """Decides which chunk of the caller's sound begins a question or an interruption."""

    def __init__(self) -> None:
        self.answers = 0
        self._answering = False
        self._quiet_samples = _PAUSE_SAMPLES

    def feed(self, samples: np.ndarray) -> str | None:
        """Take a chunk of 16 kHz samples; return "answer", "flush" or None."""
        loud = is_loud(samples)
        # A short gap in a burst (by a late packet on a busy machine) doesn't split it.
        begins = loud and self._quiet_samples >= _PAUSE_SAMPLES
        self._quiet_samples = 0 if loud else self._quiet_samples + len(samples)
        if not begins:
            return None
        self._answering = not self._answering
        self.answers += self._answering
        return "answer" if self._answering else "flush"

    @property
    def tone(self) -> np.ndarray:
        """The next 20 ms of the newest answer."""
        return TONE_CHUNKS[(self.answers - 1) % len(TONE_CHUNKS)]


def is_loud(samples: np.ndarray) -> bool:
    """Whether a chunk is part of a burst."""
    return bool(len(samples)) and int(np.abs(samples.astype(np.int32)).max()) > _LOUD


def to_24k(samples: np.ndarray) -> np.ndarray:
    """Bring 16 kHz samples to 24 kHz without any delay (linear; it is a benchmark's sine)."""
    at = np.arange(len(samples) * 3 // 2) * (2 / 3)
    return np.interp(at, np.arange(len(samples)), samples).astype(np.int16)


def only_loopback() -> None:
    """Make aioice offer 127.0.0.1 and nothing else, in this process."""
    import aioice.ice

    # The product has a copy of aioice.
    for module in (aioice.ice, sys.modules.get("vision_agent.rtc.own.aioice.ice")):
        if module is not None:
            module.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]
