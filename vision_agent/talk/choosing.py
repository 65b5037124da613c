"""Finds the device that an option names. Pure."""

from __future__ import annotations

from collections.abc import Sequence


class NoSuchDevice(ValueError):
    """No device matches; `str(error)` names those that exist."""


def choose(devices: Sequence[str], wanted: str | None, *, what: str, option: str) -> str | None:
    """Return the device that a number or a part of a name means.

    Args:
        devices: The names, in the order of `--list-devices`.
        wanted: A number, a name or part of one in any case; None for the system's default.
        what: "microphone" or "speaker", for the text.
        option: The option that chooses, for the text.

    Returns:
        The name; None for the system's default.

    Raises:
        NoSuchDevice: No device exists, or none or several match.
    """
    if not devices:
        raise NoSuchDevice(f"There is no {what} on this machine.")
    if wanted is None:
        return None
    if wanted.isdecimal():
        if int(wanted) < len(devices):
            return devices[int(wanted)]
        raise NoSuchDevice(
            f"There is no {what} {wanted}: they are numbered 0 to {len(devices) - 1} "
            "(--list-devices)."
        )
    if wanted in devices:
        return wanted
    fitting = [name for name in devices if wanted.casefold() in name.casefold()]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise NoSuchDevice(f"There is no {what} named {wanted!r}. There are: {', '.join(devices)}.")
    raise NoSuchDevice(
        f"{wanted!r} matches several: {', '.join(fitting)}. Give more of the name to {option}."
    )
