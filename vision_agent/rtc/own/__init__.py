"""Copies of aiortc and aioice for this package alone, because it replaces parts of them.

`vision_agent.rtc.own.aiortc` is a second aiortc: the same files under another name, with modules
and classes of their own. A program that uses aiortc itself finds it unchanged. This package's path
is the directory in which both are installed, so Python finds them below it.

The stub files in this folder give type checkers the types of the originals.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, ModuleType

BY_FULL_NAME = ("rate", "rtcicetransport")
"""The modules of aiortc that import aiortc or aioice by their full names, not relatively."""


def _folder_of(package: str) -> str:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    return str(Path(spec.origin).parents[1])


class _Renaming(SourceFileLoader):
    """Loads a file whose absolute imports of the originals become those of the copies."""

    def get_code(self, fullname: str) -> CodeType:
        source = self.get_data(self.path).decode()
        renamed = re.sub(r"^from (aiortc|aioice)\b", rf"from {__name__}.\1", source, flags=re.M)
        return compile(renamed, self.path, "exec", dont_inherit=True)


class _Finder:
    """Finds the modules of `BY_FULL_NAME`."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in {f"{__name__}.aiortc.{each}" for each in BY_FULL_NAME}:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.origin is not None:
            spec.loader = _Renaming(name, spec.origin)
        return spec


__path__ = [*dict.fromkeys(_folder_of(package) for package in ("aiortc", "aioice"))]

sys.meta_path.insert(0, _Finder)
try:
    import_module(f"{__name__}.aiortc")
finally:
    sys.meta_path.remove(_Finder)
