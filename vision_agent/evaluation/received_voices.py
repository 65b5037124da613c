"""Both voices of a call to a server that the run did not start, as the caller recorded them."""

from __future__ import annotations

from pathlib import Path

import av

from vision_agent.caller.recording import SOUND_RATE_HZ

LONGEST_S = 180.0


def as_opus(wav: Path) -> Path:
    """Write the first three minutes of a WAV as Ogg Opus beside it, a tenth of its size.

    The WAV is deleted. Blocks.

    Args:
        wav: What `CallRecorder` has written: the caller on the left, the agent on the right.

    Raises:
        OSError: A file can't be read or written.
    """
    made = wav.with_suffix(".ogg")
    with av.open(str(wav)) as source, av.open(str(made), "w", format="ogg") as target:
        stream = target.add_stream("libopus", rate=SOUND_RATE_HZ, layout="stereo")
        for frame in source.decode(audio=0):
            if frame.time is not None and frame.time >= LONGEST_S:
                break
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    wav.unlink()
    return made
