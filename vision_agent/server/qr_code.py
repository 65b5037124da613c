"""A QR code of text characters, for a terminal."""

from __future__ import annotations

import segno

QUIET_ZONE = 2
"""Width of the light border in modules. ISO 18004 asks for 4; cameras manage with 2 on a dark
terminal."""

# One character shows two modules, one above the other, and draws the light ones.
_BLOCKS = {(1, 1): "█", (1, 0): "▀", (0, 1): "▄", (0, 0): " "}


def qr_code(text: str) -> list[str]:
    """The lines of a QR code (ISO/IEC 18004), for light characters on a dark background."""
    modules = [
        [0 if dark else 1 for dark in row]
        for row in segno.make_qr(text, error="l").matrix_iter(border=QUIET_ZONE)
    ]
    # The number of rows is odd; the row below the last one is dark, like the terminal.
    modules.append([0] * len(modules[0]))
    return [
        "".join(_BLOCKS[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(modules[::2], modules[1::2], strict=True)
    ]
