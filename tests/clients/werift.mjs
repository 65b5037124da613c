// A call by werift, a WebRTC stack in TypeScript: node werift.mjs URL RECORDING.json
import { MediaStreamTrack, RTCPeerConnection, useOPUS, useVP8 } from "werift";
import { converse, offer, play, Report, rtvi } from "./call.mjs";

const [url, recording] = process.argv.slice(2);
const report = new Report();
const peer = new RTCPeerConnection({
  iceServers: [],
  codecs: { audio: [useOPUS()], video: [useVP8()] },
});
const tracks = {
  audio: new MediaStreamTrack({ kind: "audio" }),
  video: new MediaStreamTrack({ kind: "video" }),
};
for (const track of Object.values(tracks)) peer.addTransceiver(track, { direction: "sendrecv" });
peer.onTrack.subscribe((track) => {
  if (track.kind === "audio") track.onReceiveRtp.subscribe(() => report.voicePackets++);
});
const channel = peer.createDataChannel("chat");
channel.onMessage.subscribe((text) => report.take(text.toString()));
channel.stateChanged.subscribe((state) => {
  if (state === "open") channel.send(rtvi("client-ready", { version: "2.1.0" }));
});

await peer.setLocalDescription(await peer.createOffer());
const sdp = await offer(url, peer.localDescription.sdp);
await peer.setRemoteDescription({ type: "answer", sdp });
await report.until("a connection", () => peer.connectionState === "connected");
const played = play(
  recording,
  { audio: { payloadType: 96, ssrc: 1 }, video: { payloadType: 97, ssrc: 2 } },
  (kind, packet) => tracks[kind].writeRtp(packet),
);
await converse(report, (text) => channel.send(text));
console.log(report.text());
await peer.close();
await played;
process.exit(0);
