"""The engine's networks, which a process of the tests loads once: an engine's take 0.5 s of CPU."""

from __future__ import annotations

import functools

from vision_agent.local.engine.language import nearest_examples
from vision_agent.local.engine.sight import look

SHARED = (
    (look, "FaceDetector"),
    (look, "Names"),
    (look, "Reader"),
    (nearest_examples, "NearestExamples"),
)


def share_networks() -> None:
    """Gives all engines of this process, and of its forks, the networks that the first one loads.

    They may be used from several threads.
    """
    for module, name in SHARED:
        setattr(module, name, functools.cache(getattr(module, name)))


def load_networks() -> None:
    """Loads what is shared."""
    for module, name in SHARED:
        getattr(module, name)()
