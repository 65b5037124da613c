"""A call by GStreamer's webrtcbin: /usr/bin/python3 webrtcbin.py URL SPEECH.wav VIDEO [SOUND]

It runs with the system's Python, where GStreamer's bindings are, and prints one line of JSON.
"""

import json
import sys
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

CAMERA = {
    "VP8": "vp8enc deadline=1 keyframe-max-dist=4 ! rtpvp8pay pt=96 ! "
    "application/x-rtp,media=video,encoding-name=VP8,payload=96",
    "H264": "openh264enc gop-size=4 ! video/x-h264,profile=constrained-baseline ! "
    "rtph264pay pt=96 config-interval=-1 aggregate-mode=zero-latency ! "
    "application/x-rtp,media=video,encoding-name=H264,payload=96",
    # Of another profile; without an aggregate mode the payloader offers packetization mode 0.
    "H264-HIGH": "openh264enc gop-size=4 ! video/x-h264,profile=high ! "
    "rtph264pay pt=96 config-interval=-1 ! "
    "application/x-rtp,media=video,encoding-name=H264,payload=96",
}
MICROPHONE = {
    "OPUS": "opusenc ! rtpopuspay pt=97 ! "
    "application/x-rtp,media=audio,encoding-name=OPUS,payload=97",
    "PCMU": "mulawenc ! rtppcmupay ! application/x-rtp,media=audio,encoding-name=PCMU,payload=0",
    "PCMA": "alawenc ! rtppcmapay ! application/x-rtp,media=audio,encoding-name=PCMA,payload=8",
}
PIPELINE = """
webrtcbin name=peer bundle-policy=max-bundle
filesrc location={speech} ! wavparse ! audioconvert ! audioresample ! identity sync=true !
    {microphone} ! peer.
videotestsrc is-live=true pattern=red ! video/x-raw,width=160,height=120,framerate=4/1 !
    {camera} ! peer.
"""


class Call:
    """A question by voice before a red frame, then a typed one about its colour."""

    def __init__(self, url: str, speech: str, video: str, sound: str = "OPUS") -> None:
        self.url = url
        self.loop = GLib.MainLoop()
        self.messages: list[dict] = []
        self.voice_packets = 0
        self.typed = self.failed = False
        parts = {"speech": speech, "camera": CAMERA[video], "microphone": MICROPHONE[sound]}
        self.pipeline = Gst.parse_launch(PIPELINE.format(**parts))
        self.peer = self.pipeline.get_by_name("peer")
        # The ICE agent would look for a router by UPnP. The bindings return these two objects
        # without a reference of their own, so attributes keep them alive.
        self.ice = self.peer.get_property("ice-agent")
        self.agent = self.ice.get_property("agent")
        self.agent.set_property("upnp", False)
        self.peer.connect("pad-added", self.on_track)
        self.peer.connect("notify::connection-state", self.on_state)
        self.pipeline.set_state(Gst.State.READY)
        self.peer.connect("on-negotiation-needed", self.on_negotiation_needed)
        self.pipeline.get_bus().add_signal_watch()
        self.pipeline.get_bus().connect("message::error", self.on_error)
        self.prepare()

    def prepare(self) -> None:
        self.channel = self.peer.emit("create-data-channel", "chat", None)
        self.channel.connect("on-open", lambda _: self.send("client-ready", {"version": "2.1.0"}))
        self.channel.connect("on-message-string", self.on_message)
        self.peer.connect("notify::ice-gathering-state", self.on_gathering)

    def on_error(self, _bus: Gst.Bus, message: Gst.Message) -> None:
        self.fail(f"GStreamer: {message.parse_error()[0].message}")

    def on_negotiation_needed(self, _peer: Gst.Element) -> None:
        def made(promise: Gst.Promise) -> None:
            # The description lives in the reply, and the peer takes it later.
            self.reply = promise.get_reply()
            offer = self.reply.get_value("offer")
            self.peer.emit("set-local-description", offer, Gst.Promise.new())

        self.peer.emit("create-offer", None, Gst.Promise.new_with_change_func(made))

    def on_gathering(self, peer: Gst.Element, _: object) -> None:
        if peer.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(self.offer)

    def offer(self) -> None:
        sdp = self.peer.get_property("local-description").sdp.as_text()
        body = json.dumps({"sdp": sdp, "type": "offer"}).encode()
        request = urllib.request.Request(
            f"{self.url}/api/offer", body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                answer = json.load(response)["sdp"]
        except urllib.error.HTTPError as error:
            self.fail(f"{error.code}: {error.read().decode()}")
            return
        self.take(answer)

    def take(self, answer: str) -> None:
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        description = GstWebRTC.WebRTCSessionDescription.new(
            GstWebRTC.WebRTCSDPType.ANSWER, message
        )
        self.peer.emit("set-remote-description", description, Gst.Promise.new())

    def on_state(self, peer: Gst.Element, _: object) -> None:
        state = peer.get_property("connection-state")
        if state == GstWebRTC.WebRTCPeerConnectionState.FAILED:
            self.fail("the connection failed")

    def on_track(self, _peer: Gst.Element, pad: Gst.Pad) -> None:
        def count(_pad: Gst.Pad, _info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
            self.voice_packets += 1
            return Gst.PadProbeReturn.OK

        sink = Gst.ElementFactory.make("fakesink")
        self.pipeline.add(sink)
        sink.sync_state_with_parent()
        pad.add_probe(Gst.PadProbeType.BUFFER, count)
        pad.link(sink.get_static_pad("sink"))

    def on_message(self, _channel: object, text: str) -> None:
        message = json.loads(text)
        self.messages.append(message)
        # Either answer may have several sentences, and the first may be "One moment, please.". A
        # busy machine may pause between them.
        listens = message.get("data", {}).get("state") == "listening"
        if listens and self.texts("bot-transcription") and not self.typed:
            self.typed = True
            self.send("send-text", {"content": "What colour is this?"})
        seen = self.typed and message["type"] == "bot-transcription"
        if seen and "red" in message["data"]["text"]:
            self.loop.quit()

    def send(self, type: str, data: dict) -> None:
        message = {"label": "rtvi-ai", "type": type, "id": type, "data": data}
        self.channel.emit("send-string", json.dumps(message))

    def texts(self, type: str) -> list[str]:
        return [one["data"]["text"] for one in self.messages if one["type"] == type]

    def report(self) -> dict:
        return {
            "ready": any(one["type"] == "bot-ready" for one in self.messages),
            "heard": [
                one["data"]["text"]
                for one in self.messages
                if one["type"] == "user-transcription" and one["data"]["final"]
            ],
            "said": self.texts("bot-transcription"),
            "voicePackets": self.voice_packets,
        }

    def fail(self, reason: str) -> None:
        print(f"{reason}; {self.report()}", file=sys.stderr)
        self.failed = True
        self.loop.quit()

    def run(self) -> int:
        GLib.timeout_add_seconds(50, lambda: self.fail("not within 50 s"))
        self.pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        print(json.dumps(self.report()))
        self.pipeline.set_state(Gst.State.NULL)
        return int(self.failed)


if __name__ == "__main__":
    Gst.init(None)
    sys.exit(Call(*sys.argv[1:]).run())
