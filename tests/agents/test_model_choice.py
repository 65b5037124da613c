from pathlib import Path

import pytest
from google.adk.agents.llm_agent import LlmAgent
from google.adk.models.google_llm import Gemini
from google.genai import types

from vision_agent.agents.host import HostedAgent
from vision_agent.agents.model_choice import ModelChoice, choose_model, install_model
from vision_agent.live.call_options import CallOptions
from vision_agent.live.connection.gemini import LiveGemini
from vision_agent.live.models import ModelError
from vision_agent.own_models import Brain, OwnModels
from vision_agent.server.options import agent_options
from vision_agent.settings import Settings

KEY = {"GOOGLE_API_KEY": "k"}
VERTEX = {"GOOGLE_GENAI_USE_VERTEXAI": "true", "GOOGLE_CLOUD_PROJECT": "p"}


def agent(model="", **kwargs) -> LlmAgent:
    return LlmAgent(name="a", model=model, **kwargs)


def test_without_a_key_the_local_live_api_answers_and_says_why():
    brain = choose_model(agent(), None, {})
    assert (brain.kind, brain.model, brain.label) == (
        "local",
        "local",
        "local Live API: no key set",
    )


def test_local_can_be_asked_for_although_there_is_a_key():
    assert choose_model(agent(), "local", KEY).kind == "local"


def test_a_brain_answers_whatever_key_there_is_and_no_other_model_beside_it():
    brain = OwnModels(Brain("http://localhost:1/v1", "m"))
    for environ in ({}, KEY, VERTEX):
        choice = choose_model(agent(), None, environ, brain)
        assert (choice.kind, choice.page_kind) == ("local", "own")
        assert choice.label == "m at localhost:1 (--brain), local ears and voice"
    with pytest.raises(ModelError, match="does not use the brain at localhost:1"):
        choose_model(agent(), "gemini-3.8-live", KEY, brain)


def test_with_a_key_gemini_answers_with_a_model_that_both_backends_serve():
    brain = choose_model(agent(), None, KEY)
    assert (brain.kind, brain.label) == ("gemini", "Gemini gemini-3.8-live")
    assert choose_model(agent(), None, VERTEX).vertex


def test_a_gemini_model_without_a_key_is_refused_with_where_to_get_one():
    with pytest.raises(ModelError, match=r"no key.*GOOGLE_API_KEY.*aistudio"):
        choose_model(agent(), "gemini-3.8-live", {})


def test_a_model_that_is_not_in_the_list_is_not_said_to_be_tried_where_there_is_no_key():
    with pytest.raises(ModelError, match=r"no key for 'gemini-3\.8-lvie'") as refused:
        choose_model(agent(), "gemini-3.8-lvie", {})
    said = str(refused.value)
    assert "with a key it would be tried as it is. Did you mean gemini-3.8-live?" in said
    assert "it is tried" not in said


def test_vertex_without_a_project_is_refused():
    with pytest.raises(ModelError, match="GOOGLE_CLOUD_PROJECT"):
        choose_model(agent(), None, {"GOOGLE_GENAI_USE_VERTEXAI": "1"})


def test_an_agent_whose_model_is_known_not_to_be_live_is_refused_by_name():
    tree = agent("gemini-3.8-live", sub_agents=[LlmAgent(name="expert", model="gemini-2.5-pro")])
    with pytest.raises(ModelError, match=r"'expert' uses 'gemini-2.5-pro'"):
        choose_model(tree, None, KEY)


def test_a_model_that_is_not_in_the_list_is_tried_with_a_word_about_it():
    tree = agent("gemini-3.8-live", sub_agents=[LlmAgent(name="expert", model="gemini-9-omni")])
    choice = choose_model(tree, None, KEY)
    assert choice.model == "gemini-3.8-live"
    (note,) = choice.notes
    assert "'gemini-9-omni' is not in this version's list" in note
    assert choose_model(agent(), "gemini-9-live", KEY).notes[0].startswith("The model 'gemini-9")
    assert choose_model(agent("gemini-9-omni"), "gemini-3.8-live", KEY).notes == ()
    assert choose_model(agent(), None, KEY).notes == ()


@pytest.mark.parametrize(
    ("pinned", "version"),
    [
        ({"base_url": "https://generativelanguage.googleapis.com/v1beta"}, "v1beta"),
        ({"client_kwargs": {"http_options": {"api_version": "v1beta"}}}, "v1beta"),
        ({"client_kwargs": {"http_options": types.HttpOptions(api_version="v1")}}, "v1"),
        ({}, None),
    ],
)
def test_the_version_of_the_api_that_an_agents_own_model_is_pinned_to_is_known(pinned, version):
    own = Gemini(model="gemini-2.5-flash-native-audio-latest", **pinned)
    assert choose_model(agent(own), None, KEY).api_version == version
    assert choose_model(agent(own), "gemini-3.8-live", KEY).api_version is None


def test_what_the_agents_author_says_about_thinking_counts_where_a_call_says_nothing():
    def thinking(model: str, **chosen) -> ModelChoice:
        config = types.GenerateContentConfig(thinking_config=types.ThinkingConfig(**chosen))
        return choose_model(agent(model, generate_content_config=config), None, KEY)

    extended = "gemini-3.8-live-extended-thinking"
    with pytest.raises(ModelError, match="needs a thinking_level"):
        choose_model(agent(extended), None, KEY).check(CallOptions())
    thinking(extended, thinking_level="LOW").check(CallOptions())
    with pytest.raises(ModelError, match="takes no thinking_budget"):
        thinking("gemini-3.8-live", thinking_budget=9).check(CallOptions())
    chosen = thinking("gemini-3.1-flash-live-preview", thinking_budget=9)
    chosen.check(CallOptions(thinking_level="high"))


def test_what_is_only_tried_is_shown_on_the_page(monkeypatch):
    monkeypatch.setenv("GOOGLE_API_KEY", "k")
    given = {"model": "gemini-9-live", "voice": "en-us-tavi", "session_db": "memory"}
    host = HostedAgent(agent_options(Settings(_env_file=None, **given)))
    model, voice = host.info()["notes"]
    assert "'gemini-9-live'" in model
    assert "'en-us-tavi'" in voice
    assert "tried" in voice


def test_a_model_on_the_command_line_goes_to_every_agent_of_the_tree():
    tree = agent("gemini-2.5-pro", sub_agents=[LlmAgent(name="expert", model="gemini-2.5-pro")])
    brain = choose_model(tree, "gemini-3.8-live", KEY)
    install_model(brain, tree, None)
    assert [a.model.model for a in (tree, *tree.sub_agents)] == ["gemini-3.8-live"] * 2


def test_an_agents_own_gemini_keeps_its_settings():
    own = Gemini(model="gemini-3.8-live", speech_config=None, use_interactions_api=False)
    tree = agent(own)
    install_model(choose_model(tree, None, KEY), tree, None)
    assert isinstance(tree.model, LiveGemini)
    assert tree.model.model == "gemini-3.8-live"


def test_a_scenario_is_played_by_the_local_live_api_only(monkeypatch):
    monkeypatch.setenv("GOOGLE_API_KEY", "k")
    scenario = Path("any.yaml")
    with pytest.raises(ModelError, match=r"played by the local Live API.*add --model local"):
        HostedAgent(agent_options(Settings(scenario=scenario)))
    assert (
        HostedAgent(agent_options(Settings(scenario=scenario, model="local"))).model_choice.kind
        == "local"
    )
