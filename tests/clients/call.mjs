// What the calls of both Node stacks share: signalling over HTTP, RTVI on the channel, RTP out of a
// recording, and the report that is printed.
import { readFileSync } from "node:fs";

export async function offer(url, sdp) {
  const response = await fetch(`${url}/api/offer`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ sdp, type: "offer" }),
  });
  const body = await response.json();
  if (!response.ok) throw new Error(`${response.status}: ${body.error}`);
  return body.sdp;
}

// The messages that arrive on the channel, and the number of the agent's voice packets.
export class Report {
  constructor() {
    this.messages = [];
    this.voicePackets = 0;
    this.news = () => {};
  }

  take(text) {
    const message = JSON.parse(text);
    this.messages.push(message);
    this.news();
  }

  texts(type) {
    return this.messages.filter((one) => one.type === type).map((one) => one.data.text);
  }

  async until(what, condition, seconds = 40) {
    const end = Date.now() + seconds * 1000;
    while (!condition()) {
      if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}; ${this.text()}`);
      await new Promise((resolve) => {
        this.news = resolve;
        setTimeout(resolve, 100);
      });
    }
  }

  text() {
    return JSON.stringify({
      ready: this.messages.some((one) => one.type === "bot-ready"),
      heard: this.messages
        .filter((one) => one.type === "user-transcription" && one.data.final)
        .map((one) => one.data.text),
      said: this.texts("bot-transcription"),
      voicePackets: this.voicePackets,
    });
  }
}

export const rtvi = (type, data) => JSON.stringify({ label: "rtvi-ai", type, id: type, data });

// Plays the recording once, in real time. `send(kind, packet)` gets whole RTP packets (RFC 3550).
export async function play(file, { audio, video }, send) {
  const streams = { audio: { ...audio, number: 0 }, video: { ...video, number: 0 } };
  const start = Date.now();
  for (const one of JSON.parse(readFileSync(file))) {
    const wait = start + one.at_ms - Date.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const stream = streams[one.kind];
    const header = Buffer.alloc(12);
    header[0] = 0x80;
    header[1] = stream.payloadType | (one.marker ? 0x80 : 0);
    header.writeUInt16BE(stream.number++ & 0xffff, 2);
    header.writeUInt32BE(one.timestamp, 4);
    header.writeUInt32BE(stream.ssrc, 8);
    send(one.kind, Buffer.concat([header, Buffer.from(one.payload, "base64")]));
  }
}

// One call: a question by voice before the camera, then one that is typed.
export async function converse(report, send) {
  await report.until("bot-ready", () => report.texts("bot-ready").length > 0);
  await report.until("the spoken answer", () => report.texts("bot-transcription").length > 0);
  const before = report.texts("bot-transcription").length;
  send(rtvi("send-text", { content: "What colour is this?" }));
  await report.until(
    "the answer to what was typed",
    () => report.texts("bot-transcription").length > before,
  );
}
