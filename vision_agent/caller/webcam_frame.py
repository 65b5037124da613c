"""Converts a frame of a recording to a webcam's: upright, with square pixels, not too large."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

# The size of a webcam's frame. A 4K recording would cost the caller seconds of VP8 encoding per
# second, and the server shrinks every frame far below this before the model sees it.
MAX_FRAME_PX = 1280
# The largest ratio of a pixel's sides. For 4:3 film squeezed to half its width it is 2.
_MAX_PIXEL_ASPECT = 8
_Matrix = tuple[int, int, int, int]
# The display matrices of the EXIF orientations (TIFF 6.0, tag 274); 1 is upright.
_ORIENTATIONS: dict[int, _Matrix] = {
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, 1, -1, 0),
    7: (0, -1, -1, 0),
    8: (0, -1, 1, 0),
}


def webcam_frame(frame: av.VideoFrame, pixel_aspect: Fraction | None, path: Path) -> av.VideoFrame:
    """Converts a frame to yuv420p, with even sides of at most `MAX_FRAME_PX`.

    Args:
        frame: as it is stored. Phones and cameras store frames as the sensor lies, with a display
            matrix (in JPEG the EXIF orientation) that turns or mirrors them.
        pixel_aspect: the width of a stored pixel divided by its height; None if it is unknown.
        path: the file that the frame is from.
    """
    wide, high = _square(frame.width, frame.height, pixel_aspect)
    scale = min(1.0, MAX_FRAME_PX / max(wide, high))
    width, height = max(2, int(wide * scale) // 2 * 2), max(2, int(high * scale) // 2 * 2)
    matrix = _display_matrix(frame, path)
    if matrix is None:
        return frame.reformat(width, height, "yuv420p")
    stored = np.asarray(frame.to_ndarray(width=width, height=height, format="rgb24"), np.uint8)
    upright = av.VideoFrame.from_ndarray(_displayed(stored, matrix), format="rgb24")
    return upright.reformat(format="yuv420p")


def _square(width: int, height: int, pixel_aspect: Fraction | None) -> tuple[float, float]:
    """The size of a frame after stretching its pixels to squares."""
    if pixel_aspect is None or not 1 / _MAX_PIXEL_ASPECT <= pixel_aspect <= _MAX_PIXEL_ASPECT:
        return width, height
    if pixel_aspect > 1:
        return float(width * pixel_aspect), height
    return width, float(height / pixel_aspect)


def _display_matrix(frame: av.VideoFrame, path: Path) -> _Matrix | None:
    """The entries a, b, c and d of the display matrix; None if it changes nothing.

    It takes a stored pixel (x, y) to (a x + c y, b x + d y), apart from a shift.
    """
    try:
        entries = np.frombuffer(frame.side_data["DISPLAYMATRIX"], np.int32)  # type: ignore
    except KeyError:
        return None
    except ValueError:
        # PyAV does not know EXIF as side data, and then gives none.
        return _ORIENTATIONS.get(_exif_orientation(path))
    a, b, c, d = (int(entries[n]) for n in (0, 1, 3, 4))
    upright = a > 0 and d > 0 and abs(a) >= abs(b)
    return None if upright or not (a or b) else (a, b, c, d)


def _exif_orientation(path: Path) -> int:
    try:
        with Image.open(path) as image:
            return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except (OSError, ValueError, TypeError, SyntaxError, Image.DecompressionBombError):
        return 1  # a file that Pillow can't read, or with a broken tag, is shown as it is stored


def _displayed(stored: npt.NDArray[np.uint8], matrix: _Matrix) -> npt.NDArray[np.uint8]:
    """Turns and mirrors an image, to the nearest quarter of a turn."""
    a, b, c, d = matrix
    if abs(a) >= abs(b):
        across, down = a, d
    else:
        stored, across, down = stored.transpose(1, 0, 2), c, b
    return np.ascontiguousarray(stored[:: 1 if down > 0 else -1, :: 1 if across > 0 else -1])
