"""Which credentials are accepted, and the code and words of each refusal."""

from __future__ import annotations

import pytest

from vision_agent.local.api.credentials import Credentials
from vision_agent.local.api.endpoint import Endpoint
from vision_agent.local.api.json_fields import Refused

STUDIO = Endpoint(vertex=False, version="v1alpha")
VERTEX = Endpoint(vertex=True, version="v1beta1")


@pytest.mark.parametrize(
    ("endpoint", "key", "token", "code", "words"),
    [
        (STUDIO, "invalid-key", None, 1007, "API key not valid. Please pass a valid API key."),
        (STUDIO, None, None, 1008, "Method doesn't allow unregistered callers"),
        (STUDIO, "", None, 1008, "Method doesn't allow unregistered callers"),
        (VERTEX, None, "invalid-token", 1008, "Request had invalid authentication credentials."),
        (VERTEX, None, None, 1008, "Request is missing required authentication credential."),
    ],
)
def test_callers_without_a_good_key_are_refused(
    endpoint: Endpoint, key: str | None, token: str | None, code: int, words: str
) -> None:
    with pytest.raises(Refused) as refused:
        Credentials(key, token).check(endpoint)
    assert refused.value.code == code
    assert refused.value.reason.startswith(words)


@pytest.mark.parametrize(
    ("endpoint", "key", "token"),
    [(STUDIO, "any", None), (VERTEX, None, "any"), (VERTEX, "any", None), (STUDIO, None, "any")],
)
def test_any_other_key_is_good_enough(
    endpoint: Endpoint, key: str | None, token: str | None
) -> None:
    Credentials(key, token).check(endpoint)


CONSTRAINED = Endpoint(vertex=False, version="v1alpha", constrained=True)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Token auth_tokens/a"}])
def test_an_ephemeral_token_is_for_its_own_method(headers: dict[str, str]) -> None:
    path = "/ws" if headers else "/ws?access_token=auth_tokens/a"
    credentials = Credentials.of(path, headers)
    assert credentials.ephemeral == "auth_tokens/a"
    credentials.check(CONSTRAINED)
    with pytest.raises(Refused, match="invalid authentication credentials"):
        credentials.check(STUDIO)
    with pytest.raises(Refused, match="missing required authentication credential"):
        Credentials("any", None).check(CONSTRAINED)
    with pytest.raises(Refused, match="API key not valid"):
        Credentials("auth_tokens/a", None).check(STUDIO)
