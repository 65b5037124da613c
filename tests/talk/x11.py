"""An X server with a virtual screen, which shows given images."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT = 800, 450
_DEPTH, _Z_PIXMAP = 24, 2


@dataclass
class Display:
    """Attributes: `name`, as in DISPLAY; `server`, the process, which `end` ends."""

    name: str
    server: subprocess.Popen[bytes]

    def end(self) -> None:
        self.server.terminate()
        self.server.wait()

    def show(self, rgb: npt.NDArray[np.uint8]) -> None:
        """Show an image of the display's size on its root window."""
        pixels = np.ascontiguousarray(np.pad(rgb[:, :, ::-1], ((0, 0), (0, 0), (0, 1))))
        x = ctypes.CDLL("libX11.so.6")
        pointer, number, side = ctypes.c_void_p, ctypes.c_ulong, ctypes.c_uint
        x.XOpenDisplay.restype = x.XDefaultVisual.restype = x.XDefaultGC.restype = pointer
        x.XCreateImage.restype, x.XDefaultRootWindow.restype = pointer, number
        display = pointer(x.XOpenDisplay(self.name.encode()))
        assert display
        visual, context = pointer(x.XDefaultVisual(display, 0)), pointer(x.XDefaultGC(display, 0))
        sides = side(WIDTH), side(HEIGHT)
        data = pixels.ctypes.data_as(pointer)
        image = pointer(x.XCreateImage(display, visual, _DEPTH, _Z_PIXMAP, 0, data, *sides, 32, 0))
        root = number(x.XDefaultRootWindow(display))
        x.XPutImage(display, root, context, image, 0, 0, 0, 0, *sides)
        x.XCloseDisplay(display)


@contextlib.contextmanager
def x11_display() -> Iterator[Display]:
    assert shutil.which("Xvfb"), "scripts/setup.sh dev installs Xvfb, which is missing here"
    read, write = os.pipe()
    size = ("-screen", "0", f"{WIDTH}x{HEIGHT}x{_DEPTH}")
    # Otherwise the server would reset its screen when its last client disconnects.
    command = ["Xvfb", "-displayfd", str(write), *size, "-noreset", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as number:
        display = Display(f":{number.readline().strip()}", server)
    try:
        yield display
    finally:
        display.end()
