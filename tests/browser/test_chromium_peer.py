"""Chromium's peer connection without the page: what other web clients do with it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.support.forked_product import ForkedServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALL = """
async (options) => {
  const certificates = options.rsa ? [await RTCPeerConnection.generateCertificate({
    name: "RSASSA-PKCS1-v1_5", modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" })] : [];
  const pc = new RTCPeerConnection({ certificates });
  const until = async (what, done) => {
    for (let n = 0; n < 1000; n++) {
      if (await done()) return;
      await new Promise((next) => setTimeout(next, 20));
    }
    throw new Error(what + ": " + pc.connectionState);
  };
  let pcId;
  const negotiate = async (more) => {
    await pc.setLocalDescription();
    await until("gathering", () => pc.iceGatheringState === "complete");
    const body = { sdp: pc.localDescription.sdp, type: "offer", ...more };
    const response = await fetch("/api/offer", { method: "POST",
      headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    pcId = answer.pc_id;
    await pc.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    return answer.sdp;
  };
  const bytes = async (type, kind, field) => {
    let sum = 0;
    for (const report of (await pc.getStats()).values())
      if (report.type === type && (!kind || report.kind === kind)) sum += report[field];
    return sum;
  };
  const messages = [];
  const open = async () => {
    const channel = pc.createDataChannel("chat");
    channel.onmessage = ({ data }) => messages.push(JSON.parse(data));
    return channel;
  };
  const ready = async (channel) => {
    await until("channel", () => channel.readyState === "open");
    channel.send(JSON.stringify({ label: "rtvi-ai", type: "client-ready", id: "1",
      data: { version: "1.0.0" } }));
  };
  const says = (kind) => messages.some((message) => message.type === kind);

  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  pc.addTrack(media.getAudioTracks()[0], media);
  let channel = await open();
  const answer = await negotiate({});
  await until("connected", () => pc.connectionState === "connected");
  await ready(channel);
  await until("bot-ready", () => says("bot-ready"));
  await until("voice", async () => (await bytes("inbound-rtp", "audio", "packetsReceived")) > 20);

  if (options.camera) {
    pc.addTrack(media.getVideoTracks()[0], media);
    await negotiate({ pc_id: pcId, restart_pc: false });
    await until("video", async () =>
      (await bytes("remote-inbound-rtp", "video", "packetsLost")) >= 0 &&
      (await bytes("outbound-rtp", "video", "framesEncoded")) > 5);
  }
  if (options.channel) {
    channel.close();
    await until("closed", () => channel.readyState === "closed");
    messages.length = 0;
    channel = await open();
    await ready(channel);
    await until("bot-ready again", () => says("bot-ready"));
  }
  const state = pc.connectionState;
  await fetch(`/api/offer/${pcId}`, { method: "DELETE" });
  pc.close();
  media.getTracks().forEach((track) => track.stop());
  return { answer, state };
}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page(shared_server: ForkedServer, quiet_browser: Browser) -> AsyncIterator[Page]:
    async with await quiet_browser.new_page() as page:
        await page.goto(f"{shared_server.url}/healthz")  # the page's modules are not used
        yield page


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"rsa": True}, id="with an RSA certificate"),
        pytest.param({"camera": True}, id="adds its camera later"),
        pytest.param({"channel": True}, id="opens its data channel anew"),
    ],
)
async def test_chromium_stays_connected(server: ForkedServer, page: Page, options: dict[str, bool]):
    called = await page.evaluate(CALL, options)
    assert called["state"] == "connected"
    assert "a=setup:passive" in called["answer"]
    assert "a=fingerprint:sha-256" in called["answer"]
    assert "a=fingerprint:sha-512" not in called["answer"]
