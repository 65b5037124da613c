"""Links installed distributions into another environment, without the minute that pip takes."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from importlib import metadata
from itertools import accumulate
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


def link(distributions: Sequence[metadata.Distribution], site_packages: Path) -> None:
    """Links the distributions' modules and bytecode into an environment; nothing is copied.

    A folder that belongs to no other distribution is one link: there are 15,000 files.
    """
    wanted = {distribution.name for distribution in distributions}
    owners: dict[str, set[str]] = defaultdict(set)
    for each in metadata.distributions():
        name = each.name  # it is parsed each time
        for folder in {file.rpartition("/")[0] for file in _files(each)}:
            for above in accumulate(folder.split("/"), "{}/{}".format):
                owners[above].add(name)
    linked = set()
    for distribution in distributions:
        for file in _files(distribution):
            for place in accumulate(file.split("/"), "{}/{}".format):
                if owners.get(place, wanted) <= wanted:
                    break
            if place not in linked:
                linked.add(place)
                link = site_packages / place
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(Path(str(distribution.locate_file(place))))


def _files(distribution: metadata.Distribution) -> list[str]:
    """The paths of its files; those of programs, which are elsewhere, are left out."""
    rows = csv.reader((distribution.read_text("RECORD") or "").splitlines())
    return [path for path, *_ in rows if not path.startswith(("..", "/"))]
