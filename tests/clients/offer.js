/**
 * Calls from a page with an offer of its own and reports what came of it.
 *
 * @param {{order: string[], video?: string[], audio?: string[], policy: string, layers?: boolean}} how
 *   The sections in their order, the codecs of each kind, the bundle policy, and whether the video
 *   is offered in two layers (simulcast).
 */
export async function call({ order, video, audio, policy, layers }) {
  const peer = new RTCPeerConnection({ bundlePolicy: policy });
  const canvas = document.createElement("canvas");
  const drawing = canvas.getContext("2d");
  const painting = setInterval(() => drawing.fillRect(Math.random() * 200, 0, 20, 150), 50);
  const sound = new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0];
  for (const kind of order) {
    if (kind === "data") {
      peer.createDataChannel("chat");
      continue;
    }
    const track = kind === "video" ? canvas.captureStream(10).getVideoTracks()[0] : sound.clone();
    const sendEncodings = kind === "video" && layers ? [{ rid: "h" }, { rid: "l" }] : [{}];
    const transceiver = peer.addTransceiver(track, { sendEncodings });
    const wanted = kind === "video" ? video : audio;
    const { codecs } = RTCRtpReceiver.getCapabilities(kind);
    const names = (codec) => wanted.includes(codec.mimeType.split("/")[1].toLowerCase());
    if (wanted) transceiver.setCodecPreferences(codecs.filter(names));
  }
  await peer.setLocalDescription();
  const response = await fetch("/api/offer", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ sdp: peer.localDescription.sdp, type: "offer" }),
  });
  const { sdp, pc_id } = await response.json();
  await peer.setRemoteDescription({ type: "answer", sdp });
  const report = { sections: sdp.match(/^m=\w+ \d+/gm).map((line) => !line.endsWith(" 0")) };
  for (let tries = 0; tries < 100; tries += 1) {
    const stats = [...(await peer.getStats()).values()];
    const voice = stats.find((one) => one.type === "inbound-rtp" && one.kind === "audio");
    const sent = stats.filter((one) => one.type === "outbound-rtp" && one.packetsSent > 0);
    report.videos = sent.filter((one) => one.kind === "video").length;
    report.codec = stats.find((one) => one.id === voice?.codecId)?.mimeType;
    if (voice?.packetsReceived > 50 && sent.some((one) => one.kind === "audio")) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  report.state = peer.connectionState;
  clearInterval(painting);
  peer.close();
  await fetch(`/api/offer/${pc_id}`, { method: "DELETE" });
  return report;
}
