"""A data channel with a client on one end and a recording listener on the other."""

import json

from tests.rtc.calling import Call
from tests.support.waiting import until
from vision_agent.rtc import Channel, rtvi


class Heard:
    """A `ChannelListener` that records what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[object, ...]] = []
        self.answer: object = None

    def on_client_ready(self) -> None:
        self.events.append(("ready",))

    def on_text(self, text: str, *, spoken: bool) -> None:
        self.events.append(("text", text) if spoken else ("text to be answered in words", text))

    def on_context(self, text: str, *, agents: bool) -> None:
        self.events.append(("context", text, agents))

    def on_track_status(self, receiver_index: int, enabled: bool) -> None:
        self.events.append(("track", receiver_index, enabled))

    def on_client_message(self, type: str, data: object) -> object | None:
        if type == "fail":
            raise LookupError("the caller's own words")
        if type == "refuse":
            raise rtvi.BadMessage("There is no such message.")
        self.events.append(("message", type, data))
        return self.answer

    def on_goodbye(self) -> None:
        self.events.append(("goodbye",))


class Client:
    """The client's end of a data channel, as the public SDKs use it."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.data = call.caller.createDataChannel("chat", ordered=True)
        self.received: list[dict] = []
        self.data.on("message", lambda text: self.received.append(json.loads(text)))
        self.heard = Heard()
        self.channel = Channel(self.heard, {"name": "test"})

    async def connect(self) -> None:
        await self.call.connect()
        await until(lambda: self.call.listener.channels)
        self.channel.attach(self.call.listener.channels[0])
        await until(lambda: self.data.readyState == "open")

    def send(self, kind: str, data: object = None, message_id: str = "1") -> None:
        self.data.send(
            json.dumps({"label": "rtvi-ai", "type": kind, "id": message_id, "data": data})
        )

    async def ready(self) -> None:
        self.send("client-ready", {"version": "2.1.0", "about": {"library": "x"}}, "first")
        await until(lambda: self.received)

    def types(self) -> list[str]:
        return [message["type"] for message in self.received]
