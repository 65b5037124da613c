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
// Adding the channel begins the negotiation, and with it the gathering.
const gathered = new Promise((resolve) => {
  peer.onGatheringStateChange((now) => {
    if (now === "complete") resolve();
  });
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

await gathered;
peer.setRemoteDescription(await offer(url, peer.localDescription().sdp), "answer");
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
