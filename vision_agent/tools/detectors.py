"""The events that `watch_for` can detect. A detector looks at one frame at a time.

Changes of light, a camera's noise and its automatic exposure are not events. A change, a movement
or a face counts only if it is seen in two looks; a code or a text counts when it is first read.
Detectors read no clock and block for milliseconds (text: a third of a second), so they run in
threads.
"""

from __future__ import annotations

import re
from typing import Literal, Protocol, get_args

import cv2
import numpy as np
import numpy.typing as npt

from vision_agent.detection.kinds import is_only_kind, kind_in
from vision_agent.tools.call_context import Pixels
from vision_agent.tools.kind_detectors import KindComes, KindGoes, faces
from vision_agent.tools.print_reader import PrintReader

Kind = Literal["appears", "disappears", "moves", "changes", "face", "code", "text"]

LOOK_AT_PX = 640
SMALL = (160, 120)
"""Width and height, in pixels, to which a frame is reduced before it is compared."""

DIFFERENT = 22
"""The difference, in levels of 255 in any channel, above which a pixel has changed. After
smoothing, a camera's noise stays below 6."""

PART_CHANGED = 0.004
"""The least share of the frame that counts as a change: an apple on the far side of a table."""

ALL_CHANGED = 0.6
MORE_EDGES = 1.3
"""A thing has more edges than the empty place it stands in, by at least this factor."""


class Detector(Protocol):
    """Detects one kind of event.

    Attributes:
        pause_s: The pause between two looks.
        names_it: Whether its sentence says what was watched for.
    """

    pause_s: float
    names_it: bool

    def look(self, pixels: Pixels) -> str | None:
        """Looks at the next frame.

        Args:
            pixels: BGR, at most `LOOK_AT_PX` on a side.

        Returns:
            A sentence about the event, or None if there is none.
        """


def kind_of(kind: Kind, what: str) -> Kind:
    """The kind of event to detect.

    If something is to appear, words that name a code, a face or text choose that kind. If a thing
    is named and nothing is said of it, it is to appear.

    Raises:
        ValueError: There is no such kind.
    """
    if kind not in get_args(Kind):
        raise ValueError(f"There is no kind {kind!r}, only {', '.join(get_args(Kind))}.")
    words = set(re.findall(r"[a-z]+", what.lower()))
    if kind == "changes" and is_only_kind(what):
        return "appears"
    if kind != "appears":
        return kind
    if words & {"qr", "barcode", "code"}:
        return "code"
    if words & {"face", "faces"}:
        return "face"
    return "text" if words & {"text", "writing", "print"} else kind


def detector_for(kind: Kind, what: str) -> Detector:
    """The detector for a kind of event and its subject.

    Raises:
        ValueError: There is no such kind.
        WeightsError: The network that finds things or faces can't be loaded.
    """
    kind, thing = kind_of(kind, what), kind_in(what)
    if thing and kind in ("appears", "disappears"):
        return KindComes(thing) if kind == "appears" else KindGoes(thing)
    if kind == "code":
        return CodeComes()
    if kind == "face":
        return FaceComes()
    if kind == "text":
        return TextComes(what)
    if kind == "moves":
        return SomethingMoves()
    return SceneChanges(kind)


class SceneChanges:
    """Compares each frame with the first; a difference in two looks in a row is an event.

    Args:
        kind: ``appears``, ``disappears`` or ``changes``.
    """

    pause_s = 0.4
    names_it = False

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._first: Pixels | None = None
        self._before: npt.NDArray[np.bool_] | None = None

    def look(self, pixels: Pixels) -> str | None:
        """See `Detector.look`."""
        now = _small(pixels)
        if self._first is None:
            self._first = now
            return None
        mask = _differs(self._first, now)
        before, self._before = self._before, mask
        if before is None:
            return None
        lasting = mask & before
        if lasting.mean() > ALL_CHANGED:
            if self._kind == "changes":
                return "The whole picture has changed."
            self._first = self._before = None  # the camera was turned: take a new first frame
            return None
        for area in _areas(lasting):
            edges_then, edges_now = _edges(self._first, area), _edges(now, area)
            came, went = edges_now > MORE_EDGES * edges_then, edges_then > MORE_EDGES * edges_now
            where = _where(area)
            if self._kind == "appears" and came:
                return f"Something new has appeared {where}."
            if self._kind == "disappears" and went:
                return f"Something {where} is gone."
            if self._kind == "changes":
                return f"Something has changed {where}."
        return None


class SomethingMoves:
    """Compares each frame with the previous one; two of three comparisons must differ."""

    pause_s = 0.3
    names_it = False

    def __init__(self) -> None:
        self._last: Pixels | None = None
        self._moved: list[bool] = []

    def look(self, pixels: Pixels) -> str | None:
        """See `Detector.look`."""
        now = _small(pixels)
        last, self._last = self._last, now
        if last is None:
            return None
        areas = _areas(_differs(last, now))
        self._moved = [*self._moved[-2:], bool(areas)]
        if areas and sum(self._moved) >= 2:
            return f"Something is moving {_where(areas[0])}."
        return None


class FaceComes:
    """Counts faces; more than at first, in two looks in a row, is an event."""

    pause_s = 0.5
    names_it = False

    def __init__(self) -> None:
        self._faces = faces()
        self._at_first: int | None = None
        self._last = 0

    def look(self, pixels: Pixels) -> str | None:
        """See `Detector.look`."""
        found = len(self._faces.boxes(pixels))
        last, self._last = self._last, found
        if self._at_first is None:
            self._at_first = found
            return None
        self._at_first = min(self._at_first, max(found, last))  # a face that left may come back
        if min(found, last) > self._at_first:
            return "A face has come into view." if found == 1 else f"There are {found} faces now."
        return None


class CodeComes:
    """Reads QR codes and barcodes; the first code that can be read is an event."""

    pause_s = 0.4
    names_it = False

    def __init__(self) -> None:
        self._qr = cv2.QRCodeDetector()
        self._barcode = cv2.barcode.BarcodeDetector()

    def look(self, pixels: Pixels) -> str | None:
        """See `Detector.look`."""
        grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
        text, _, _ = self._qr.detectAndDecode(grey)
        if text:
            return f'I see a QR code. It says "{text[:200]}".'
        text, _, _ = self._barcode.detectAndDecode(grey)
        return f'I see a barcode. Its number is "{text[:60]}".' if text else None


class TextComes:
    """Reads print; a line that was not there at first, or that has a wanted word, is an event.

    Args:
        what: The caller's words for the text; the general ones, such as "sign", are ignored.
    """

    pause_s = 2.0
    names_it = False

    def __init__(self, what: str) -> None:
        generic = {
            "text",
            "word",
            "words",
            "writing",
            "print",
            "sign",
            "any",
            "the",
            "some",
            "says",
        }
        self._wanted = set(re.findall(r"\w+", what.lower())) - generic
        self._reader = PrintReader()
        self._at_first: set[str] | None = None

    def look(self, pixels: Pixels) -> str | None:
        """See `Detector.look`."""
        lines = self._reader.read(pixels)
        known = {_plain(line) for line in lines}
        first, self._at_first = self._at_first, self._at_first or known
        for line in lines:
            asked_for = bool(self._wanted & set(re.findall(r"\w+", line.lower())))
            if asked_for or (first is not None and _plain(line) not in first):
                return f'I see text. It says "{line[:200]}".'
        return None


def _plain(line: str) -> str:
    return "".join(character for character in line.lower() if character.isalnum())


def _small(pixels: Pixels) -> Pixels:
    small = cv2.resize(pixels, SMALL, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 1.2), np.uint8)


def _differs(old: Pixels, new: Pixels) -> npt.NDArray[np.bool_]:
    before, after = old.astype(np.float32) + 8, new.astype(np.float32) + 8
    # Exposure and white balance are a gain for each channel of the whole frame.
    gain = np.median(after / before, axis=(0, 1))
    delta = np.abs(before * gain - after).max(axis=2)
    mask = (delta > DIFFERENT).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.asarray(mask, np.bool_)


def _areas(mask: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.bool_]]:
    """The connected parts of a mask that are at least `PART_CHANGED` of it, the largest first."""
    joined = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    order = sorted(range(1, count), key=lambda label: -stats[label, cv2.CC_STAT_AREA])
    areas = [np.asarray(labels == label, np.bool_) for label in order]
    return [area for area in areas if (area & mask).mean() >= PART_CHANGED]


def _edges(pixels: Pixels, area: npt.NDArray[np.bool_]) -> float:
    across, down = cv2.Sobel(pixels, cv2.CV_32F, 1, 0), cv2.Sobel(pixels, cv2.CV_32F, 0, 1)
    slope = np.hypot(np.asarray(across), np.asarray(down)).max(axis=2)
    return float(slope[area].mean()) + 1.0


def _where(area: npt.NDArray[np.bool_]) -> str:
    x = float(np.nonzero(area)[1].mean()) / area.shape[1]
    # The caller's left is the frame's left only for a rear camera, so no side is named.
    return "in the middle of the picture" if 1 / 3 < x < 2 / 3 else "at the side of the picture"
