// A call by libdatachannel (C++, as node-datachannel): node libdatachannel.mjs URL RECORDING.json
import datachannel from "node-datachannel";
import { converse, offer, play, Report, rtvi } from "./call.mjs";

const [url, recording] = process.argv.slice(2);
const report = new Report();
const peer = new datachannel.PeerConnection("caller", { iceServers: [] });
let state = "";
peer.onStateChange((now) => {
  state = now;
});
// Adding the channel begins the negotiation. The offer is sent before candidates are gathered, so that
// the server waits for this side's checks, which begin with the answer's candidates. A check of the
// server's own can begin DTLS while the library takes the answer: without the answer's fingerprint it
// closes the connection, and refuses the candidates.
const described = new Promise((resolve) => {
  peer.onLocalDescription(resolve);
});

const audio = new datachannel.Audio("audio", "SendRecv");
audio.addOpusCodec(111);
audio.addSSRC(1, "caller", "caller", "microphone");
const video = new datachannel.Video("video", "SendOnly");
video.addVP8Codec(96);
video.addSSRC(2, "caller", "caller", "camera");
const tracks = { audio: peer.addTrack(audio), video: peer.addTrack(video) };
tracks.audio.onMessage(() => {
  report.voicePackets++;
});

const channel = peer.createDataChannel("chat");
channel.onOpen(() => channel.sendMessage(rtvi("client-ready", { version: "2.1.0" })));
channel.onMessage((text) => report.take(text));

peer.setRemoteDescription(await offer(url, await described), "answer");
await report.until("a connection", () => {
  if (state === "failed") throw new Error("the connection failed");
  return state === "connected";
});
const played = play(
  recording,
  { audio: { payloadType: 111, ssrc: 1 }, video: { payloadType: 96, ssrc: 2 } },
  (kind, packet) => {
    if (tracks[kind].isOpen()) tracks[kind].sendMessageBinary(packet);
  },
);
await converse(report, (text) => channel.sendMessage(text));
console.log(report.text());
peer.close();
await played;
datachannel.cleanup();
process.exit(0);
