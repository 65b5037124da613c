"""A file of weights: its place, and the hash it must have."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


class WeightsError(RuntimeError):
    """A file of weights is missing or damaged; the message says which in one sentence."""


@dataclass(frozen=True, slots=True)
class Weights:
    """One file of weights.

    Attributes:
        package: Dotted name of the package that the file comes with; the package is not imported.
        file: Path inside the package.
        sha256: Hash of the whole file, in hexadecimal digits.
    """

    package: str
    file: str
    sha256: str

    def path(self) -> Path:
        """Path of the file, which has been read and has the right hash.

        Reads the whole file, about 0.1 s for 75 MB: called once, when the network is loaded.

        Raises:
            WeightsError: The package or the file is missing, or the hash is another one.
        """
        spec = find_spec(self.package)
        if spec is None or spec.origin is None:
            raise WeightsError(f"The package {self.package}, which brings {self.file}, is missing.")
        path = Path(spec.origin).parent / self.file
        # Callers hear this, and should not learn the path of the package.
        which = f"{self.file} of the package {self.package}"
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise WeightsError(f"{which} can't be read: {error.strerror or error}.") from None
        if found != self.sha256:
            raise WeightsError(
                f"{which} is damaged: it is not the file this version was made with."
            )
        return path
