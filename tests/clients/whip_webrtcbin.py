"""A call of GStreamer's webrtcbin by WHIP: python3 whip_webrtcbin.py URL TOKEN SPEECH.wav VP8|H264

It has no data channel. It offers at once, trickles its candidates, waits for a second of the
agent's voice, ends the session, and prints one line of JSON: its requests' statuses and how long
the voice was loud.
"""

import sys
import urllib.error
import urllib.request

from webrtcbin import Call, GLib, Gst, GstWebRTC

LOUD_DB = -40.0
"""A louder level is the agent's voice; its silence is digital."""


class WhipCall(Call):
    """A question by voice before a red frame."""

    def __init__(self, url: str, token: str, speech: str, codec: str) -> None:
        self.token = token
        self.candidates: list[str] = []
        self.session, self.entity_tag, self.credentials = "", "", ""
        self.statuses: dict[str, list[int]] = {}
        self.loud_ms = 0
        super().__init__(url, speech, codec)

    def prepare(self) -> None:
        self.peer.connect("on-ice-candidate", self.on_candidate)
        self.pipeline.get_bus().connect("message::element", self.on_level)
        self.peer.connect("notify::signaling-state", self.on_signaling)

    def request(self, method: str, url: str, body: str, kind: str, **headers: str):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(
            url,
            body.encode(),
            {"Authorization": f"Bearer {self.token}", "Content-Type": kind} | named,
            method=method,
        )
        try:
            response = urllib.request.urlopen(request, timeout=20)
        except urllib.error.HTTPError as error:
            response = error
        self.statuses.setdefault(method, []).append(response.status)
        return response

    def on_signaling(self, peer: Gst.Element, _: object) -> None:
        state = peer.get_property("signaling-state")
        if state == GstWebRTC.WebRTCSignalingState.HAVE_LOCAL_OFFER:
            GLib.idle_add(self.offer)

    def offer(self) -> None:
        sdp = self.peer.get_property("local-description").sdp.as_text()
        lines = [line for line in sdp.splitlines() if not line.startswith("a=candidate:")]
        self.credentials = "".join(
            next(f"{line}\r\n" for line in lines if line.startswith(name))
            for name in ("a=ice-ufrag", "a=ice-pwd")
        )
        offered = "\r\n".join(lines) + "\r\n"
        response = self.request("POST", f"{self.url}/whip", offered, "application/sdp")
        if response.status != 201:
            self.fail(response.read().decode())
            return
        self.session = self.url + response.headers["Location"]
        self.entity_tag = response.headers["ETag"]
        self.take(response.read().decode())
        self.trickle()

    def on_candidate(self, _peer: Gst.Element, _section: int, candidate: str) -> None:
        if candidate:
            self.candidates.append(candidate)
            GLib.idle_add(self.trickle)

    def trickle(self) -> None:
        if not self.session or not self.candidates:
            return
        lines = "".join(f"a={one}\r\n" for one in self.candidates)
        self.candidates.clear()
        fragment = f"{self.credentials}m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:audio0\r\n{lines}"
        kind = "application/trickle-ice-sdpfrag"
        self.request("PATCH", self.session, fragment, kind, If_Match=self.entity_tag)

    def on_track(self, _peer: Gst.Element, pad: Gst.Pad) -> None:
        ear = Gst.parse_bin_from_description(
            "rtpopusdepay ! opusdec ! audioconvert ! level interval=100000000 ! fakesink", True
        )
        self.pipeline.add(ear)
        ear.sync_state_with_parent()
        pad.link(ear.get_static_pad("sink"))

    def on_level(self, _bus: Gst.Bus, message: Gst.Message) -> None:
        told = message.get_structure()
        if told.get_name() == "level" and told.get_value("rms")[0] > LOUD_DB:
            self.loud_ms += 100
            if self.loud_ms == 1000:
                self.request("DELETE", self.session, "", "application/sdp")
                self.loop.quit()

    def report(self) -> dict:
        return {"statuses": self.statuses, "loud_ms": self.loud_ms}


if __name__ == "__main__":
    Gst.init(None)
    sys.exit(WhipCall(*sys.argv[1:]).run())
