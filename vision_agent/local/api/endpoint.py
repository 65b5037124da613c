"""Which service a request's path names. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_AI_STUDIO_PATH = re.compile(
    r"/ws/google\.ai\.generativelanguage\.(v1alpha|v1beta|v1)\.GenerativeService\."
    r"BidiGenerateContent(Constrained)?"
)
_VERTEX_PATH = re.compile(
    r"/ws/google\.cloud\.aiplatform\.(v1beta1|v1)\.LlmBidiService/BidiGenerateContent"
)

SERVED_PATHS = (
    "Served are BidiGenerateContent of google.ai.generativelanguage in the API versions v1alpha, "
    "v1beta and v1, and of google.cloud.aiplatform in v1beta1 and v1."
)
"""The answer to a request for any other path."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Which of the two services the client believes it talks to.

    Attributes:
        vertex: The Vertex path (true) or the AI Studio path (false).
        version: The API version in the path, as in ``v1alpha``.
        constrained: Whether it is the method for ephemeral tokens.
    """

    vertex: bool
    version: str
    constrained: bool = False


def find_endpoint(path: str) -> Endpoint | None:
    """The endpoint a request path names (its query aside), or None when it names none."""
    path = path.partition("?")[0]
    for vertex, pattern in ((False, _AI_STUDIO_PATH), (True, _VERTEX_PATH)):
        # `//` results from a base URL that ends with a slash, which the public service accepts as
        # well.
        if match := pattern.fullmatch("/" + path.lstrip("/")):
            return Endpoint(vertex, match[1], constrained=not vertex and match[2] is not None)
    return None
