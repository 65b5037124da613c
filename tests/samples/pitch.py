"""The pitch of a voice."""

import numpy as np
import numpy.typing as npt

from vision_agent.caller.recording import SOUND_RATE_HZ

_FRAME = SOUND_RATE_HZ // 20
_LOWEST_HZ, _HIGHEST_HZ = 60, 400


def pitch_hz(voice: npt.NDArray[np.int16]) -> float:
    """The median pitch of a voice, by autocorrelation of its voiced 50 ms frames."""
    found = []
    for start in range(0, len(voice) - _FRAME, _FRAME):
        frame = voice[start : start + _FRAME].astype(np.float64)
        if np.sqrt(np.mean(frame**2)) < 500:
            continue
        frame -= frame.mean()
        spectrum = np.abs(np.fft.rfft(frame, 2 * _FRAME)) ** 2
        likeness = np.fft.irfft(spectrum)[:_FRAME]
        shortest, longest = SOUND_RATE_HZ // _HIGHEST_HZ, SOUND_RATE_HZ // _LOWEST_HZ
        lag = shortest + int(likeness[shortest:longest].argmax())
        if likeness[lag] > 0.4 * likeness[0]:
            found.append(SOUND_RATE_HZ / lag)
    assert found, "There is no voice in it."
    return float(np.median(found))
