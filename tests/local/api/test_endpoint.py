"""The service that a URL's path names."""

from __future__ import annotations

import pytest

from vision_agent.local.api.endpoint import Endpoint, find_endpoint

STUDIO = Endpoint(vertex=False, version="v1alpha")
VERTEX = Endpoint(vertex=True, version="v1beta1")


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContent", STUDIO),
        (
            "//ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=k",
            Endpoint(vertex=False, version="v1beta"),
        ),
        (
            "/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContentConstrained",
            Endpoint(vertex=False, version="v1alpha", constrained=True),
        ),
        ("/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent", VERTEX),
        ("/ws/google.ai.generativelanguage.v9.GenerativeService.BidiGenerateContent", None),
        ("/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateMusic", None),
        ("/", None),
    ],
)
def test_the_path_names_the_service(path: str, endpoint: Endpoint | None) -> None:
    assert find_endpoint(path) == endpoint
