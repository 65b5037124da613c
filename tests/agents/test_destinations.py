import pytest
from google.adk.agents.llm_agent import LlmAgent
from google.adk.models.base_llm import BaseLlm
from google.adk.models.google_llm import Gemini
from google.genai import types

from vision_agent.agents.destinations import Destination, destinations, host_of
from vision_agent.agents.host import HostedAgent
from vision_agent.agents.model_choice import choose_model, install_model
from vision_agent.own_models import Brain, OwnModels, SpeechServer
from vision_agent.server.options import agent_options
from vision_agent.settings import Settings

KEY = {"GOOGLE_API_KEY": "k"}
VERTEX = {"GOOGLE_GENAI_USE_VERTEXAI": "true", "GOOGLE_CLOUD_PROJECT": "p"}


class Theirs(BaseLlm):
    """A model class of another vendor."""

    api_base: str | None = None

    async def generate_content_async(self, llm_request, stream=False):
        yield None


def services(model, environ, chosen=None, **kwargs) -> list[tuple[str, str]]:
    root = LlmAgent(name="a", model=model, **kwargs)
    brain = choose_model(root, chosen, environ)
    return [(one.service, one.host) for one in destinations(brain, root, environ)]


def test_with_the_local_live_api_nothing_leaves_the_server():
    assert services("", {}) == []
    assert services("gemini-3.8-live", KEY, "local") == []


def test_a_brain_is_named_whatever_the_agents_models_are():
    root = LlmAgent(name="a", model="gemini-3.8-live")
    own = OwnModels(Brain("http://localhost:1/v1", "m"), voice=SpeechServer("http://b:2/v1"))
    choice = choose_model(root, None, KEY, own)
    assert destinations(choice, root, KEY) == [
        Destination("brain", "localhost:1", "m"),
        Destination("voice", "b:2", ""),
    ]


def test_with_a_key_it_is_google_and_with_vertex_credentials_google_cloud():
    assert services("", KEY) == [("gemini", "")]
    assert services("gemini-3.8-live", VERTEX) == [("vertex", "")]


@pytest.mark.parametrize("environ", [{}, KEY])
def test_an_agents_own_base_url_is_named_with_a_key_and_without_one(environ):
    model = Gemini(model="gemini-3.8-live", base_url="https://me:secret@models.example:8443/v1?k=1")
    assert services(model, environ) == [("custom", "models.example:8443")]
    brain = choose_model(LlmAgent(name="a", model=model), None, {})
    assert "secret" not in brain.label


def test_a_base_url_in_the_http_options_or_in_the_environment_counts_too():
    options = types.HttpOptions(base_url="https://models.example")
    model = Gemini(model="gemini-3.8-live", client_kwargs={"http_options": options})
    assert services(model, KEY) == [("custom", "models.example")]
    elsewhere = KEY | {"GOOGLE_GEMINI_BASE_URL": "https://proxy.example/gemini"}
    assert services("gemini-3.8-live", elsewhere) == [("custom", "proxy.example")]
    region = VERTEX | {"GOOGLE_VERTEX_BASE_URL": "https://europe-west1-aiplatform.googleapis.com"}
    assert services("", region) == [("vertex", "")]
    google = KEY | {"GOOGLE_GEMINI_BASE_URL": "https://generativelanguage.googleapis.com"}
    assert services("", google) == [("gemini", "")]
    pretending = KEY | {"GOOGLE_GEMINI_BASE_URL": "https://googleapis.com.example"}
    assert services("", pretending) == [("custom", "googleapis.com.example")]


def test_a_model_of_another_kind_goes_wherever_it_goes():
    assert services(Theirs(model="x/y"), KEY) == [("custom", "")]
    assert services(Theirs(model="x/y", api_base="http://box.lan:11434"), {}) == [
        ("custom", "box.lan:11434")
    ]


def test_sub_agents_with_models_of_their_own_are_named_as_well():
    own = Theirs(model="gemini-3.8-live", api_base="https://models.example")
    helper = LlmAgent(name="b", model=own)
    assert services("gemini-3.8-live", KEY, sub_agents=[helper]) == [
        ("gemini", ""),
        ("custom", "models.example"),
    ]


def test_a_model_chosen_for_all_is_the_only_one():
    helper = LlmAgent(name="b", model=Theirs(model="x/y", api_base="https://models.example"))
    assert services("", KEY, "gemini-3.8-live", sub_agents=[helper]) == [("gemini", "")]


def test_an_installed_brain_leads_where_it_was_said_to():
    root = LlmAgent(name="a", model=Gemini(model="gemini-3.8-live", base_url="https://m.example"))
    brain = choose_model(root, None, KEY)
    install_model(brain, root, None)
    assert destinations(brain, root, KEY) == [
        Destination("custom", "m.example", "gemini-3.8-live"),
    ]


def test_the_page_is_told(monkeypatch):
    monkeypatch.setenv("GOOGLE_API_KEY", "k")
    host = HostedAgent(agent_options(Settings(model="gemini-3.8-live")))
    assert host.info()["destinations"] == [
        {"service": "gemini", "host": "", "model": "gemini-3.8-live"}
    ]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://a.example", "a.example"),
        ("wss://u:p@a.example:444/x", "a.example:444"),
        ("a.example:80/x", "a.example:80"),
        ("http://[::1]:8080", "[::1]:8080"),
        ("https://a.example:none", "a.example"),
        ("", ""),
    ],
)
def test_of_a_url_only_the_host_is_told(url, host):
    assert host_of(url) == host
