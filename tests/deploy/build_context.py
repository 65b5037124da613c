"""The files that `docker build` sends: those that .dockerignore does not exclude."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path


class BuildContext:
    """A folder without what its .dockerignore excludes.

    The last line that matches a file, or a folder above it, decides, as in BuildKit.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        lines = (line.strip() for line in (root / ".dockerignore").read_text().splitlines())
        self._rules = [
            (_pattern(line.lstrip("!")), not line.startswith("!"))
            for line in lines
            if line and not line.startswith("#")
        ]

    def files(self, source: str) -> Iterator[Path]:
        """The files below a path, relative to the root."""
        path = self._root / source
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            relative = file.relative_to(self._root)
            if file.is_file() and not self.excludes(relative):
                yield relative

    def excludes(self, file: Path) -> bool:
        """Whether a file is not sent."""
        paths = [path.as_posix() for path in (file, *file.parents)]
        excluded = False
        for pattern, excludes in self._rules:
            if any(pattern.fullmatch(path) for path in paths):
                excluded = excludes
        return excluded


def _pattern(line: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*)", line.strip("/"))
    meaning = {"**/": "(.*/)?", "*": "[^/]*"}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts))
