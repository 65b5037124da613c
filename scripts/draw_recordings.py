"""Draw the recordings of the sample agents; flite speaks the remarks.

    python scripts/draw_recordings.py [NAME…]

Needs flite on the path (`apt install flite`) with its voices rms and slt.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from vision_agent.caller.recording import SOUND_RATE_HZ, Samples, read_sound

FOLDER = Path(__file__).parent.parent / "samples" / "recordings"
WIDTH, HEIGHT, FPS = 640, 480, 10
ANSWER_S = 10.0
"""Between two remarks: time for the answer."""

SEAM_S = 1.0
"""Between the two parts of one remark: the second comes before the first is done."""

RED, BLUE, GREEN = (40, 40, 200), (190, 90, 30), (60, 150, 50)
WHITE, BLACK, STEEL = (245, 245, 245), (25, 25, 25), (120, 120, 120)

Pixels = npt.NDArray[np.uint8]
Draw = Callable[[Pixels, float], None]


def table() -> Pixels:
    """A grey wall over a lighter table, with a camera's grain."""
    pixels = np.full((HEIGHT, WIDTH, 3), 186, np.int16)
    pixels[330:] = (170, 190, 200)
    pixels += np.random.default_rng(7).integers(-5, 6, pixels.shape, np.int16)
    return pixels.astype(np.uint8)


def print_on(pixels: Pixels, text: str, x: int, y: int, size: float, colour=BLACK) -> None:
    cv2.putText(pixels, text, (x, y), cv2.FONT_HERSHEY_DUPLEX, size, colour, 2, cv2.LINE_AA)


def mug(pixels: Pixels, at_s: float) -> None:
    cv2.ellipse(pixels, (410, 270), (45, 55), 0, 0, 360, RED, 18, cv2.LINE_AA)
    cv2.rectangle(pixels, (240, 170), (410, 370), RED, -1)


def cartons(pixels: Pixels, at_s: float) -> None:
    for left, colour, lines in (
        (60, BLUE, ("OAT DRINK", "1 litre", "1.89 euros")),
        (350, RED, ("RICE DRINK", "1 litre", "1.49 euros")),
    ):
        cv2.rectangle(pixels, (left, 60), (left + 230, 420), colour, -1)
        cv2.rectangle(pixels, (left + 10, 150), (left + 220, 330), WHITE, -1)
        for row, line in enumerate(lines):
            print_on(pixels, line, left + 18, 200 + 50 * row, 1.0)


def homework(pixels: Pixels, at_s: float) -> None:
    cv2.rectangle(pixels, (110, 40), (530, 440), WHITE, -1)
    for row, line in enumerate(("6 x 7 = 42", "7 x 8 = 54", "9 x 4 = 36")):
        print_on(pixels, line, 170, 150 + 95 * row, 1.8, (120, 40, 20))


def rolling_ball(pixels: Pixels, at_s: float) -> None:
    cv2.rectangle(pixels, (60, 120), (180, 330), (90, 110, 120), -1)
    if 9.0 <= at_s < 14.0:
        x = round(-50 + (at_s - 9.0) / 5.0 * (WIDTH + 100))
        cv2.circle(pixels, (x, 370), 45, RED, -1, cv2.LINE_AA)


def bicycle(pixels: Pixels, at_s: float) -> None:
    for x in (180, 460):
        cv2.circle(pixels, (x, 320), 100, BLACK, 10, cv2.LINE_AA)
    frame = np.array([[180, 320], [260, 190], [420, 190], [320, 320], [180, 320]])
    cv2.polylines(pixels, [frame], False, BLUE, 26, cv2.LINE_AA)
    cv2.polylines(pixels, [np.array([[320, 320], [260, 190]])], False, BLUE, 26, cv2.LINE_AA)
    cv2.polylines(
        pixels, [np.array([[460, 320], [415, 150], [450, 130]])], False, BLUE, 22, cv2.LINE_AA
    )


def parts(pixels: Pixels, at_s: float) -> None:
    cv2.rectangle(pixels, (70, 300), (260, 350), RED, -1)
    cv2.rectangle(pixels, (260, 316), (420, 334), STEEL, -1)
    for x in (130, 260, 390, 520):
        cv2.circle(pixels, (x, 150), 34, GREEN, -1, cv2.LINE_AA)


RECORDINGS: dict[str, tuple[str, Draw, Sequence[Sequence[str]]]] = {
    "basic": ("rms", mug, (("what do you see",), ("what time is it",))),
    "shop_assistant": (
        "rms",
        cartons,
        (("what is this",), ("look closely at the label",), ("point at the red thing",)),
    ),
    "tutor": ("rms", homework, (("look closely at the page",), ("point at the text",))),
    "watchman": ("rms", rolling_ball, (("tell me when something moves",), ("thank you",))),
    "front_desk": (
        "slt",
        bicycle,
        (
            ("hello",),
            ("transfer me to repairs", "what colour is this"),
            ("back to the front desk",),
            ("connect me to sales",),
        ),
    ),
    "workbench": (
        "rms",
        parts,
        (("how many things do you see",), ("point at the red thing",)),
    ),
}
"""By name: the caller's voice, what the camera shows, and the remarks."""


def speak(sentence: str, voice: str) -> Samples:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "said.wav"
        subprocess.run(["flite", "-voice", voice, "-t", sentence, "-o", str(file)], check=True)
        return read_sound(file)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SOUND_RATE_HZ), np.int16)


def conversation(remarks: Sequence[Sequence[str]], voice: str) -> Samples:
    sound = [silence(1.0)]
    for remark in remarks:
        for number, sentence in enumerate(remark):
            sound += [silence(SEAM_S)] if number else []
            sound.append(speak(sentence, voice))
        sound.append(silence(ANSWER_S))
    return np.concatenate(sound)


def write(path: Path, draw: Draw, sound: Samples) -> None:
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.options = {"crf": "26", "preset": "veryslow"}
        audio = container.add_stream("aac", rate=SOUND_RATE_HZ, layout="mono")
        audio.bit_rate = 40_000
        ground = table()
        for number in range(len(sound) * FPS // SOUND_RATE_HZ):
            pixels = ground.copy()
            draw(pixels, number / FPS)
            frame = av.VideoFrame.from_ndarray(pixels, format="bgr24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        size = audio.codec_context.frame_size or 1024
        for start in range(0, len(sound) - size, size):
            piece = sound[None, start : start + size].astype(np.float32) / 32768
            heard = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
            heard.sample_rate, heard.pts = SOUND_RATE_HZ, start
            heard.time_base = Fraction(1, SOUND_RATE_HZ)
            container.mux(audio.encode(heard))
        container.mux(audio.encode(None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(RECORDINGS))
    for name in parser.parse_args().names or RECORDINGS:
        voice, draw, remarks = RECORDINGS[name]
        write(FOLDER / f"{name}.mp4", draw, conversation(remarks, voice))


if __name__ == "__main__":
    main()
