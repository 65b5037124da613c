"""The user's own servers: their addresses, and which key each gets."""

from __future__ import annotations

import importlib.util

import pytest

from vision_agent import own_models
from vision_agent.own_models import Brain, OwnModelError, OwnModels

SECRET = {"OPENAI_API_KEY": "sk-secret"}


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://localhost:11434", "http://localhost:11434/v1"),
        ("localhost:11434/", "http://localhost:11434/v1"),
        ("https://a.example/llm/v1/", "https://a.example/llm/v1"),
        ("http://[::1]:8080/v1/chat/completions", "http://[::1]:8080/v1"),
    ],
)
def test_an_address_may_be_written_in_several_ways(given: str, url: str) -> None:
    brain = OwnModels.read({"brain": given}, {}).brain
    assert brain == Brain(url)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("ftp://a.example", "not the address"),
        ("http://", "not the address"),
        ("http://a.example:port", "not the address"),
        ("a server of mine", "not the address"),
        ("http://[::1", "not the address"),
        ("http://user:word@a.example", "VISION_AGENT_BRAIN_KEY"),
        ("http://a.example/v1?key=x", "VISION_AGENT_BRAIN_KEY"),
    ],
)
def test_what_is_no_address_is_refused_in_words(given: str, why: str) -> None:
    with pytest.raises(OwnModelError, match=why):
        OwnModels.read({"brain": given}, {})


def test_openais_key_goes_to_openai_alone() -> None:
    def key(url: str, **options: str) -> str | None:
        brain = OwnModels.read({"brain": url, **options}, SECRET).brain
        assert brain is not None
        return brain.key

    assert key("https://api.openai.com/v1") == "sk-secret"
    for elsewhere in ("http://api.openai.com/v1", "https://api.openai.com.example", "localhost:1"):
        assert key(elsewhere) is None
        assert key(elsewhere, brain_key="own") == "own"


def test_the_variables_are_enough() -> None:
    environ = {
        "VISION_AGENT_BRAIN": "http://localhost:1",
        "VISION_AGENT_BRAIN_MODEL": " m ",
        "VISION_AGENT_BRAIN_KEY": "k\n",
        "VISION_AGENT_BRAIN_IMAGES": "0",
        "VISION_AGENT_BRAIN_IMAGE_SIZE": "320",
        "VISION_AGENT_BRAIN_TIMEOUT_S": "5",
    }
    found = OwnModels.from_environ(environ)
    assert found.brain == Brain("http://localhost:1/v1", "m", "k", 0, 320, 5.0)
    assert OwnModels.from_json(found.to_json()) == found
    assert "'k'" not in repr(found)
    assert OwnModels.from_environ({"VISION_AGENT_BRAIN": " "}) == OwnModels()
    with pytest.raises(OwnModelError, match="VISION_AGENT_BRAIN_IMAGES"):
        OwnModels.from_environ(environ | {"VISION_AGENT_BRAIN_IMAGES": "many"})


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        return None if name == "openai" else importlib.util.find_spec(name)

    monkeypatch.setattr(own_models, "find_spec", missing)
    with pytest.raises(OwnModelError, match=r"pip install 'adk-video-call\[brain\]'"):
        OwnModels.read({"brain": "localhost:1"}, {})


def test_a_voice_is_a_server_only_if_it_is_an_address() -> None:
    assert OwnModels.read({"voice": "Kore"}, {}).voice is None
    own = OwnModels.read({"voice": "http://a:1/v1/audio/speech", "ears": "b:2"}, {})
    assert own.label == ("the model at b:2 (--ears), the model at a:1 (--voice), local brain")
    assert OwnModels.from_json(own.to_json()) == own
