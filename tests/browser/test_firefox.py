"""A call of the page in Firefox: spoken to, answered by voice and in captions, and hung up."""

import asyncio
import contextlib

import pytest

from tests.browser.caller import KEEP_CONNECTIONS, LISTEN, VOICE_RMS
from tests.browser.conftest import SPEECH, no_calls
from tests.browser.firefox import Firefox, firefox
from tests.talk.pulse import Pulse, pulse_audio

pytestmark = pytest.mark.asyncio(loop_scope="session")

LINES = "Array.from(document.querySelectorAll('{} .text'), (line) => line.textContent)"
ANSWERS = LINES.format('.line-agent[data-state="final"]')
QUESTIONS = LINES.format(".line-user")


# Makes a peer connection without the page's code, and stops its camera's transceiver.
STOPS_CAMERA = """
    (async () => {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
      const peer = new RTCPeerConnection();
      stream.getTracks().forEach((track) => peer.addTrack(track, stream));
      const channel = peer.createDataChannel("chat");
      const echoes = [];
      channel.onmessage = ({ data }) => echoes.push(JSON.parse(data).type);
      const negotiate = async (pc_id) => {
        await peer.setLocalDescription();
        const body = JSON.stringify({ ...peer.localDescription.toJSON(), pc_id });
        const headers = { "Content-Type": "application/json" };
        const response = await fetch("api/offer", { method: "POST", headers, body });
        const answer = await response.json();
        if (!response.ok) throw new Error(answer.error);
        await peer.setRemoteDescription(answer);
        return answer.pc_id;
      };
      const until = async (holds) => {
        while (!holds()) await new Promise((done) => setTimeout(done, 50));
      };
      const pc_id = await negotiate(null);
      await until(() => channel.readyState === "open");
      peer.getTransceivers().find((one) => one.sender.track?.kind === "video").stop();
      if ((await negotiate(pc_id)) !== pc_id) throw new Error("another call");
      channel.send(JSON.stringify(
        { label: "rtvi-ai", type: "client-ready", id: "1", data: { version: "2.1.0" } }));
      await until(() => echoes.includes("bot-ready"));
      const sections = peer.remoteDescription.sdp.match(/^m=.*/gm);
      const rejected = sections.map((line) => line.split(" ")[1] === "0");
      const state = peer.connectionState;
      await fetch(`api/offer/${pc_id}`, { method: "DELETE" });
      return { state, rejected };
    })()
"""


async def answered(page: Firefox, *, times: int) -> str:
    """Waits for this many whole answers; returns the newest."""
    return (await page.until(f"{ANSWERS}.length >= {times} && {ANSWERS}"))[-1]


async def asked_first(page: Firefox, pulse: Pulse) -> None:
    """Plays a question, and plays it again if Firefox sent silence in its place.

    Firefox sends digital silence for up to a few seconds after it has opened the microphone.
    """
    for _ in range(2):
        question = pulse.play_into_microphone(SPEECH / "what-do-you-see.wav")
        assert await asyncio.to_thread(question.wait) == 0
        with contextlib.suppress(AssertionError):
            await page.until(f"{QUESTIONS}.length", within_s=10)
            return


async def test_a_call_is_spoken_heard_captioned_and_outlives_a_stopped_camera(server, tmp_path):
    for folder in ("pulse", "profile"):
        (tmp_path / folder).mkdir()
    with pulse_audio(tmp_path / "pulse") as pulse:
        # The agent's voice must not go to the sink that the microphone captures.
        sound = pulse.environment | {"PULSE_SINK": "speaker"}
        async with firefox(tmp_path / "profile", sound) as page:
            await page.goto(server.url)
            await page.until("!document.querySelector('#brain').hidden")
            await page.evaluate(f"(() => {{ {KEEP_CONNECTIONS} }})()")
            await page.click("#call")
            await page.until("document.body.dataset.state === 'listening'")
            await page.evaluate(f"({LISTEN})()")
            await pulse.until_recorded()
            await asked_first(page, pulse)
            assert len((await answered(page, times=1)).split()) >= 3
            assert any("see" in text for text in await page.evaluate(QUESTIONS))
            loud = f"samples.some((one) => one.state === 'speaking' && one.rms > {VOICE_RMS})"
            await page.until(loud)  # captions may be complete before the voice is

            # In the background, where a browser throttles a page's timers.
            await page.covered()
            question = pulse.play_into_microphone(SPEECH / "what-colour-is-this.wav")
            assert await asyncio.to_thread(question.wait) == 0
            await answered(page, times=2)
            stop = "connections[0].getSenders().find((one) => one.track?.kind === 'video').track"
            await page.evaluate(f"{stop}.stop()")
            before = len(await page.evaluate(ANSWERS))
            await page.evaluate(
                "(() => { const text = document.querySelector('#text');"
                "text.value = 'hello'; text.form.requestSubmit(); })()"
            )
            await answered(page, times=before + 1)
            assert await page.evaluate("connections.length") == 1
            assert await page.evaluate("connections[0].connectionState") == "connected"
            await page.click('[data-control="hang-up"]')
            await page.until("document.body.innerText.includes('You hung up.')")
            await no_calls(server)

            kept = await page.evaluate(STOPS_CAMERA)
            assert kept == {"state": "connected", "rejected": [False, True, False]}
            await no_calls(server)
