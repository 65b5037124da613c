"""The arguments of a `VideoAgent` are checked when it is created."""

import functools

import pytest
from google.adk.artifacts import InMemoryArtifactService
from google.adk.memory import InMemoryMemoryService
from google.adk.sessions import InMemorySessionService

from tests.support.scenarios import SILENT
from vision_agent import Settings, VideoAgent, create_app


def settings() -> Settings:
    return Settings(_env_file=None, session_db="memory", scenario=SILENT, model="local")


def generator(request):
    yield "ann"


async def async_generator(request):
    yield "ann"


class Users:
    def of(self, request):
        return "ann"

    async def __call__(self, request):
        return "ann"


NO_FUNCTION = [
    ("ann", "of the type str"),
    ([print], "of the type list"),
    (Users, "the class Users itself"),
    (lambda: "ann", r"takes \(\)"),
    (lambda request, app: "ann", r"takes \(request, app\)"),
    (lambda *, request: "ann", r"takes \(\*, request\)"),
    (generator, "not to yield"),
    (async_generator, "not to yield"),
]


@pytest.mark.parametrize("name", ["identify", "on_event"])
@pytest.mark.parametrize(("given", "words"), NO_FUNCTION)
def test_what_can_not_be_called_with_one_argument_is_refused(name, given, words):
    with pytest.raises(TypeError, match=f"{name} is .*{words}"):
        VideoAgent(settings(), **{name: given})


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("session_service", "postgresql://user:s3cret@host/name"),
        ("session_service", InMemorySessionService),
        ("session_service", InMemoryMemoryService()),
        ("memory_service", InMemorySessionService()),
        ("artifact_service", "gs://bucket"),
        ("settings", {"agent": "agents/shop"}),
        ("settings", Settings),
        ("settings", ""),
    ],
)
def test_another_kind_of_service_or_settings_is_refused_and_not_shown(name, given):
    others = {} if name == "settings" else {"settings": settings()}
    with pytest.raises(TypeError, match=f"{name} is a .*, and this is ") as refused:
        VideoAgent(**others, **{name: given})
    assert "s3cret" not in str(refused.value)


def test_an_application_of_nothing_else_is_refused_in_the_same_way():
    with pytest.raises(TypeError, match="settings is a Settings, and this is of the type str"):
        create_app("agents/shop")
    with pytest.raises(TypeError, match="identify is a function of the request"):
        create_app(settings(), identify="ann")


@pytest.mark.parametrize(
    "function",
    [
        Users().of,
        Users(),
        functools.partial(lambda app, request: "ann", None),
        lambda request, *, limit=3: "ann",
        lambda *args: "ann",
        print,
        [].append,
    ],
)
def test_every_function_of_one_argument_is_taken(function):
    VideoAgent(
        settings(),
        identify=function,
        on_event=function,
        session_service=InMemorySessionService(),
        memory_service=InMemoryMemoryService(),
        artifact_service=InMemoryArtifactService(),
    )
