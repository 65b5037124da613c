"""The caller's view of the call: its state, and messages that wait for the client."""

from tests.support.waiting import until
from vision_agent.calls.caller_view import CallerView
from vision_agent.live.sessions.history import ConversationLine
from vision_agent.rtc import Channel


class Recorded(Channel):
    """A channel that keeps what went over it."""

    def __init__(self) -> None:
        super().__init__(None, {})
        self.messages: list[dict] = []

    def server_message(self, data) -> None:
        self.messages.append(data)

    def error(self, message: str, fatal: bool) -> None:
        self.messages.append({"error": message, "fatal": fatal})


def view_of() -> tuple[CallerView, list[dict], list[str]]:
    states: list[str] = []
    channel = Recorded()
    return CallerView(channel, states.append), channel.messages, states


async def test_each_change_of_state_is_shown_once_and_nothing_follows_the_end():
    view, messages, states = view_of()
    view.set_state("listening")
    view.set_state("listening")
    view.set_state("ended", "the caller hung up")
    view.set_state("listening")
    assert [message["state"] for message in messages] == ["listening", "ended"]
    assert states == ["listening", "ended"]
    assert messages[-1]["reason"] == "the caller hung up"


async def test_a_client_is_greeted_with_the_earlier_lines_the_state_and_what_waited_for_it():
    view, messages, _ = view_of()
    view.tell("Nothing of this call is remembered.")
    assert messages == []
    view.greet([ConversationLine("user", "hello")])
    assert [message.get("kind", "error") for message in messages] == ["resumed", "state", "error"]
    assert messages[0]["earlier"] == [{"who": "user", "text": "hello"}]
    view.tell("A toolset did not load.")
    assert messages[-1] == {"error": "A toolset did not load.", "fatal": False}


async def test_a_model_that_stays_silent_counts_as_listening_unless_tools_run(monkeypatch):
    monkeypatch.setattr("vision_agent.calls.caller_view.THINKING_LIMIT_S", 0.0)
    view, _, states = view_of()
    view.set_state("listening")
    view.tools_run(1)
    assert view.state == "thinking"
    view.settle()
    assert view.state == "thinking"
    view.tools_run(0)
    await until(lambda: view.state == "listening")
    assert states == ["listening", "thinking", "listening"]
