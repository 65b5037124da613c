"""A picture file that a caller has sent, as the JPEG that the model is shown.

It is turned upright by its EXIF orientation and keeps nothing else of what a camera or a phone puts
into a file, such as the place.
"""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from vision_agent.jpeg import to_jpeg

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MAX_PIXELS = 16_000_000
"""A file of a few kilobytes can decode to gigabytes: the size it states is checked first."""

MIN_SIDE_PX = 16
MAX_PX = 1536
MAX_BYTES = 400_000
QUALITIES = (90, 80, 65, 50, 35)


class NotAPicture(ValueError):
    """The file can't be shown; the text says why, for the caller."""


def read_picture(data: bytes) -> tuple[bytes, int, int]:
    """A JPEG file of at most `MAX_PX` on its longer side, its width and its height.

    Blocks for up to some 200 ms.

    Raises:
        NotAPicture: It is none, is broken, or is too large or too small.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as file:
            width, height = file.size
            if width * height > MAX_PIXELS:
                raise NotAPicture(
                    f"The picture is too large ({width}x{height} pixels): at most "
                    f"{MAX_PIXELS // 1_000_000} million pixels are looked at."
                )
            if min(width, height) < MIN_SIDE_PX:
                raise NotAPicture(f"The picture is too small ({width}x{height} pixels).")
            file.draft("RGB", (MAX_PX, MAX_PX))
            upright = ImageOps.exif_transpose(file)
            upright.thumbnail((MAX_PX, MAX_PX), Image.Resampling.BOX)
            pixels = np.asarray(_on_white(upright), np.uint8)[:, :, ::-1]
    except UnidentifiedImageError:
        raise NotAPicture(
            "That is not a picture that can be read: send a JPEG, PNG, WebP or GIF file."
        ) from None
    except (OSError, SyntaxError, ValueError, MemoryError, Image.DecompressionBombError) as error:
        if isinstance(error, NotAPicture):
            raise
        raise NotAPicture("The picture is broken: it could not be read to its end.") from error
    jpeg, small_enough = to_jpeg(np.ascontiguousarray(pixels), MAX_BYTES, QUALITIES)
    if not small_enough:
        half = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        pixels = np.asarray(half, np.uint8)
        jpeg, _ = to_jpeg(pixels, MAX_BYTES, QUALITIES)
    return jpeg, pixels.shape[1], pixels.shape[0]


def _on_white(picture: Image.Image) -> Image.Image:
    """The picture in RGB; what is transparent becomes white."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layers = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers).convert("RGB")
    return picture.convert("RGB")
