// The RTVI client SDK as an application uses it; `window.events` has the calls of its callbacks.
import { PipecatClient } from "@pipecat-ai/client-js";
import { SmallWebRTCTransport } from "@pipecat-ai/small-webrtc-transport";
import { PlainMediaManager } from "./media_manager.js";

window.events = [];
const note = (kind) => (data) => {
  window.events.push({ kind, at: performance.now(), data: structuredClone(plain(data)) });
};
const plain = (data) => JSON.parse(JSON.stringify(data ?? null));

const mediaManager = new PlainMediaManager();
const transport = new SmallWebRTCTransport({ mediaManager });
// The transport's own manager reports this by an event.
mediaManager.onScreen = (track) => transport.getScreenVideoTransceiver().sender.replaceTrack(track);

window.client = new PipecatClient({
  transport,
  enableMic: true,
  enableCam: true,
  callbacks: {
    onBotReady: note("ready"),
    onTransportStateChanged: note("state"),
    onUserTranscript: note("user"),
    onUserStartedSpeaking: note("user-started"),
    onUserStoppedSpeaking: note("user-stopped"),
    onBotLlmStarted: note("answer-started"),
    onBotOutput: note("output"),
    onBotTranscript: note("transcript"),
    onBotTtsText: note("tts-text"),
    onBotStartedSpeaking: note("bot-started"),
    onBotStoppedSpeaking: note("bot-stopped"),
    onMessageError: note("message-error"),
    onError: note("error"),
    onServerMessage: note("server-message"),
    onDisconnected: note("disconnected"),
    onTrackStarted: (track, participant) => {
      if (participant?.local || track.kind !== "audio") return;
      window.voice = new Audio();
      window.voice.srcObject = new MediaStream([track]);
      window.voice.play();
      note("voice-track")(null);
    },
  },
});
