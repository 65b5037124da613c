"""ADK's private parts are those that `adk_hooks` was written for."""

import socket
from types import SimpleNamespace

import pytest
from google.adk.models.gemini_llm_connection import GeminiLlmConnection
from google.adk.models.google_llm import Gemini
from google.adk.models.llm_request import LlmRequest
from google.adk.utils.variant_utils import GoogleLLMVariant
from google.genai import types
from google.genai.live import AsyncSession

from tests.live.connection.scripted_service import Connection, scripted_service
from tests.local.live_clients import MODEL_2, MODEL_3
from vision_agent.live.adk_hooks import drop_when_unacknowledged, send_conversation, tap
from vision_agent.live.connection.gemini import gemini_at


class Session:
    """Sends one message, and records the contents that are sent to it."""

    session_id = "s"

    def __init__(self) -> None:
        self.told: list[dict] = []

    async def receive(self):
        yield types.LiveServerMessage(go_away=types.LiveServerGoAway(time_left="9s"))

    async def send_client_content(self, **content) -> None:
        self.told.append(content)


async def test_every_message_is_shown_before_adk_reads_it():
    connection, order = GeminiLlmConnection(Session(), model_version=MODEL_3), []
    tap(connection, lambda message: order.append(message.go_away.time_left))
    async for response in connection.receive():
        order.append(response.go_away.time_left)
    assert order == ["9s", "9s"]


class Wire:
    """A WebSocket that records the text messages that are sent; a binary one fails."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, message: str | bytes, text: bool | None = None) -> None:
        assert isinstance(message, str) or text, "it would be a binary message"
        self.sent.append(message if isinstance(message, str) else message.decode())


@pytest.mark.parametrize("vertexai", [False, True], ids=["AI Studio", "Vertex AI"])
@pytest.mark.parametrize("model", [MODEL_2, MODEL_3])
async def test_sound_is_sent_in_google_genais_own_words(model, vertexai):
    backend = GoogleLLMVariant.VERTEX_AI if vertexai else GoogleLLMVariant.GEMINI_API
    audio = "audio/pcm;rate=16000"
    inputs = [
        types.Blob(data=bytes(640), mime_type=audio),
        types.Blob(data=bytes([0xFB, 0xEF, 0xFF]) * 200, mime_type=audio),
        types.Blob(data=b"x", mime_type=audio),
        types.Blob(data=b"not a chunk of sound", mime_type="image/jpeg"),
        types.LiveClientRealtimeInput(audio_stream_end=True),
        types.Blob(data=b"xy", mime_type="audio/pcm"),
    ]
    sent = []
    for tapped in (False, True):
        wire = Wire()
        client = SimpleNamespace(vertexai=vertexai)
        connection = GeminiLlmConnection(AsyncSession(client, wire), backend, model_version=model)
        if tapped:
            tap(connection, lambda message: None)
        for each in inputs:
            await connection.send_realtime(each)
        sent.append(wire.sent)
    assert len(sent[0]) == len(inputs)
    assert sent[1] == sent[0]


class CallsATool(Session):
    """Calls a tool, says more about its turn, and goes on only when it is asked again."""

    def __init__(self, *more: str) -> None:
        super().__init__()
        call = types.FunctionCall(id="c", name="measure", args={})
        self.messages = [
            types.LiveServerMessage(tool_call=types.LiveServerToolCall(function_calls=[call])),
            *(
                types.LiveServerMessage(server_content=types.LiveServerContent(**{each: True}))
                for each in more
            ),
        ]

    async def receive(self):
        while self.messages:
            yield self.messages.pop(0)


async def passed_on(backend: GoogleLLMVariant, *more: str) -> list[list[str]]:
    """What ADK passes on each time that it is asked for more."""
    session = CallsATool(*more)
    connection = GeminiLlmConnection(session, backend, model_version=MODEL_2)
    tap(connection, lambda message: None)
    asked = []
    while session.messages:
        asked.append(
            [
                "call" if response.content else "turn complete"
                async for response in connection.receive()
            ]
        )
    return asked


async def test_a_tool_call_is_passed_on_before_the_turn_ends_on_ai_studio():
    studio = GoogleLLMVariant.GEMINI_API
    assert await passed_on(studio, "turn_complete") == [["call"], ["turn complete"]]


async def test_a_tool_call_is_passed_on_when_its_turn_is_generated_or_ends_on_vertex():
    vertex = GoogleLLMVariant.VERTEX_AI
    assert await passed_on(vertex, "turn_complete") == [["call", "turn complete"]]
    assert await passed_on(vertex, "generation_complete", "turn_complete") == [
        ["call"],
        ["turn complete"],
    ]


async def test_what_is_told_later_is_not_followed_by_a_nudge():
    session = Session()
    connection = GeminiLlmConnection(session, model_version=MODEL_3)
    tap(connection, lambda message: None)
    content = types.Content(role="user", parts=[types.Part(text="how long")])
    await send_conversation(connection, [content])
    assert session.told == [{"turns": [content], "turn_complete": True}]


def test_a_connection_that_is_another_says_so():
    with pytest.raises(RuntimeError, match="holds no _gemini_session"):
        tap(object(), lambda message: None)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux only")
async def test_the_kernel_is_told_how_long_a_peer_may_acknowledge_nothing():
    async def listen(_: Connection) -> None: ...

    async with scripted_service(listen) as service:
        url = f"https://127.0.0.1:{service.port}"
        model = gemini_at(url, service.certificate_pem, model=MODEL_3)
        request = LlmRequest(model=MODEL_3)
        request.config.system_instruction = "Help."
        async with Gemini.connect(model, request) as connection:
            tap(connection, lambda message: None)
            drop_when_unacknowledged(connection, 7)
            raw = connection._gemini_session._ws.transport.get_extra_info("socket")
            assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 7000
