"""This machine: libraries, codecs, devices, disk."""

from __future__ import annotations

import ctypes
import shutil
import sys
from pathlib import Path

from vision_agent.doctor.finding import Finding

_LITTLE_DISK_BYTES = 200 * 1024 * 1024
_LIBRARIES = (("libGL.so.1", "libgl1"), ("libglib-2.0.so.0", "libglib2.0-0"))
"""What OpenCV needs, each with its package."""
_CODECS = (("libopus", "w"), ("opus", "r"), ("vp8", "r"), ("libvpx", "w"), ("h264", "r"))


def check_libraries() -> list[Finding]:
    """Check OpenCV, and if it does not load, the shared libraries that it needs."""
    try:
        import cv2
    except ImportError as error:
        missing = [each for each in _LIBRARIES if sys.platform == "linux" and not _loads(each[0])]
        if missing:
            names, packages = zip(*missing, strict=True)
            are = "is" if len(names) == 1 else "are"
            text = f"{' and '.join(names)} {are} missing: OpenCV can't start."
            advice = f"Debian, Ubuntu: apt-get install {' '.join(packages)}."
        else:
            text = f"OpenCV can't be loaded: {error}."
            advice = "pip install --force-reinstall 'opencv-python>=4.13,<5'"
        return [Finding("libraries", "problem", text, advice)]
    # The headless build needs none of the libraries.
    return [Finding("libraries", "ok", f"OpenCV {cv2.__version__} loads.")]


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def check_codecs() -> list[Finding]:
    """Check PyAV, its FFmpeg, and the codecs that a call needs."""
    import av

    missing = []
    for name, mode in _CODECS:
        try:
            av.Codec(name, "w" if mode == "w" else "r")
        except ValueError:
            missing.append(f"{name} ({'encoder' if mode == 'w' else 'decoder'})")
    version = ".".join(str(n) for n in av.library_versions["libavcodec"])
    if missing:
        text = f"PyAV {av.__version__} (libavcodec {version}) lacks {', '.join(missing)}."
        advice = "Use the wheel: pip install --force-reinstall --only-binary av av"
        return [Finding("codecs", "problem", text, advice)]
    text = f"PyAV {av.__version__} (libavcodec {version}): Opus, VP8 and H.264."
    return [Finding("codecs", "ok", text)]


def check_aiortc() -> list[Finding]:
    """Check that aiortc is the version whose private parts the server replaces."""
    from importlib.metadata import version

    from vision_agent.rtc import aiortc_patches

    try:
        aiortc_patches.check()
    except RuntimeError as error:
        return [Finding("aiortc", "problem", str(error), "pip install 'aiortc==1.16.*'")]
    return [Finding("aiortc", "ok", f"aiortc {version('aiortc')}, as expected.")]


def check_sound() -> list[Finding]:
    """Check microphones and speakers, which `vision-agent talk` uses."""
    from vision_agent.talk.sdl import SoundUnavailable, list_sound_devices

    only = "Only vision-agent talk needs them: on a server nothing is to do."
    try:
        devices = list_sound_devices()
    except SoundUnavailable as error:
        return [Finding("sound", "note", str(error), only)]
    lacking = [
        what
        for what, names in (("microphone", devices.inputs), ("speaker", devices.outputs))
        if not names
    ]
    if lacking:
        text = f"There is no {' and no '.join(lacking)} here ({devices.system})."
        return [Finding("sound", "note", text, only)]
    text = f"{devices.system}: {devices.inputs[0]}, {devices.outputs[0]}"
    more = len(devices.inputs) + len(devices.outputs) - 2
    return [Finding("sound", "ok", f"{text} and {more} more." if more else f"{text}.")]


def check_camera() -> list[Finding]:
    """Check cameras, which `vision-agent talk` uses."""
    from vision_agent.talk.webcam import list_cameras

    cameras = list_cameras()
    if not cameras:
        advice = "Only vision-agent talk needs one; --camera FILE shows a recording instead."
        return [Finding("camera", "note", "There is no camera here.", advice)]
    names = ", ".join(f"{number} {name}" for number, name in cameras)
    return [Finding("camera", "ok", f"Cameras: {names}.")]


def check_disk(folder: Path) -> list[Finding]:
    """Check that there is disk space for recordings and conversations."""
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:.1f} GB are free in {folder}."
    if free < _LITTLE_DISK_BYTES:
        return [Finding("disk", "warning", text, "Make room: conversations are kept on disk.")]
    return [Finding("disk", "ok", text)]
