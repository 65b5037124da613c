"""Printed text is read without an error, and none is invented."""

from __future__ import annotations

import logging
import socket

import cv2
import numpy as np
import pytest

from tests.local.engine.sight.sight_frames import (
    filled,
    film,
    noise,
    patch,
    shot,
    with_qr_code,
    written,
)
from vision_agent.local.engine.sight.ocr import Reader, _Piece, without_doubtful_marks

LINES = ["Meeting at 10:30", "Room 214", "PUSH TO OPEN", "Call 555-0137"]


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.mark.parametrize("height_px", [20, 28, 36])
@pytest.mark.parametrize(
    ("ink", "paper"),
    [((20, 20, 20), (240, 240, 235)), ((250, 250, 250), (30, 60, 140))],
    ids=["black on white", "white on blue"],
)
def test_lines_are_read_without_an_error(
    reader: Reader, height_px: int, ink: tuple[int, ...], paper: tuple[int, ...]
) -> None:
    lines = reader.read(shot(written(LINES, height_px, ink=ink, paper=paper)))

    assert [line.text for line in lines] == LINES
    assert all(0.8 <= line.score <= 1 for line in lines)


def test_another_typeface_is_read_too(reader: Reader) -> None:
    pixels = shot(written(["Hello World", "Total: 48.50"], 30, font=cv2.FONT_HERSHEY_COMPLEX))

    assert [line.text for line in reader.read(pixels)] == ["Hello World", "Total: 48.50"]


def test_columns_are_read_row_by_row_with_their_places(reader: Reader) -> None:
    pixels = filled((240, 240, 235))
    for text, at in (
        ("MILK", (30, 120)),
        ("2.40", (500, 124)),
        ("BREAD", (30, 260)),
        ("3.15", (500, 256)),
    ):
        cv2.putText(pixels, text, at, cv2.FONT_HERSHEY_SIMPLEX, 1.2, (20, 20, 20), 2, cv2.LINE_AA)

    lines = reader.read(shot(pixels))

    assert [(line.text, line.where) for line in lines] == [
        ("MILK", "on the left"),
        ("2.40", "on the right"),
        ("BREAD", "on the left"),
        ("3.15", "on the right"),
    ]


def mark(text: str, score: float, height_px: float) -> _Piece:
    return _Piece(text, score, 10.0, 10.0 + height_px * len(text), 10.0, 10.0 + height_px)


@pytest.mark.parametrize(
    ("score", "height_px", "told"),
    [(0.95, 100, False), (0.99, 20, False), (0.99, 100, True)],
)
def test_a_character_all_alone_has_to_be_large_and_sure(
    score: float, height_px: float, told: bool
) -> None:
    alone = [mark("8", score, height_px)]
    assert without_doubtful_marks(alone, 480) == (alone if told else [])
    among_words = [*alone, mark("Total", 0.95, 20)]
    assert without_doubtful_marks(among_words, 480) == among_words


def test_no_text_is_invented_in_bottles(reader: Reader) -> None:
    frames = film(range(1, 39, 8))

    assert [reader.read(frame) for frame in frames] == [()] * len(frames)


def test_no_text_is_invented_in_noise_things_codes_or_nothing(reader: Reader) -> None:
    frames = [noise(), shot(filled((128, 128, 128))), shot(filled((250, 250, 250)))]
    frames += [shot(patch((200, 30, 30), (220, 220, 220))), shot(with_qr_code("hello", 200))]
    frames += [shot(_shapes(seed), seed=seed) for seed in range(2)]

    assert [reader.read(pixels) for pixels in frames] == [()] * len(frames)


def _shapes(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    pixels = filled(random.integers(40, 220, 3).tolist())
    for _ in range(20):
        x, y, a, b = (int(v) for v in (*random.integers(0, 480, 2), *random.integers(5, 120, 2)))
        colour = tuple(int(v) for v in random.integers(0, 255, 3))
        if random.integers(2):
            cv2.rectangle(pixels, (x, y), (x + a, y + b), colour, -1)
        else:
            cv2.ellipse(pixels, (x, y), (a, b), 0, 0, 360, colour, int(random.integers(1, 6)))
    return pixels


def test_it_loads_without_a_network_and_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise AssertionError("the reader looked for something on the network")

    monkeypatch.setattr(socket.socket, "connect", unreachable)
    monkeypatch.setattr(socket, "getaddrinfo", unreachable)

    reader = Reader()
    lines = reader.read(shot(written(["EXIT"], 36)))
    assert reader.read(shot(filled((128, 128, 128)))) == ()

    assert [line.text for line in lines] == ["EXIT"]
    assert logging.getLogger("RapidOCR").level == logging.CRITICAL
    assert "".join(capfd.readouterr()) == ""


def test_of_a_full_page_only_the_beginning_is_read_if_that_is_enough(reader: Reader) -> None:
    page = shot(written([f"line {number} of the page" for number in range(9)], 24))

    beginning, whole = reader.read(page, 60), reader.read(page)

    assert len(whole) == 9
    assert 2 <= len(beginning) < 7
    assert [line.text for line in beginning] == [line.text for line in whole[: len(beginning)]]
