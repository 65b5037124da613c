"""Links installed distributions into another environment, without the minute that pip takes."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def _asked_for(requires: Iterable[str], extras: Iterable[str] = ()) -> list[Requirement]:
    return [
        requirement
        for requirement in map(Requirement, requires)
        if requirement.marker is None
        or any(requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras))
    ]


def needed(requires: Iterable[str]) -> list[metadata.Distribution]:
    """The installed distributions that the requirements need, directly or indirectly.

    Args:
        requires: As in `Requires-Dist`; requirements of extras are left out.
    """
    found: dict[tuple[str, str], metadata.Distribution] = {}
    waiting = _asked_for(requires)
    while waiting:
        requirement = waiting.pop()
        wanted = (canonicalize_name(requirement.name), ",".join(sorted(requirement.extras)))
        if wanted not in found:
            found[wanted] = metadata.distribution(requirement.name)
            waiting += _asked_for(found[wanted].requires or (), requirement.extras)
    return list(found.values())


def link(distributions: Iterable[metadata.Distribution], site_packages: Path) -> None:
    """Links the distributions' modules and bytecode into an environment; no file is copied."""
    for distribution in distributions:
        for file in distribution.files or ():
            # Programs, and files that another of them has too (both builds of OpenCV have cv2).
            if ".." in file.parts or (place := site_packages / file).exists():
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(file.locate())
