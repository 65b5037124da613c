// Eyevinn's WHIP client as an encoder's page uses it.
import { WHIPClient } from "@eyevinn/whip-web-client";

// The client asks for no sound in return, by options of createOffer that only older code has. Without
// them the sections send and receive.
class TwoWay extends RTCPeerConnection {
  createOffer() {
    return super.createOffer();
  }
}

window.begin = async (endpoint, authkey, hears) => {
  window.client = new WHIPClient({
    endpoint,
    opts: { authkey, iceServers: [] },
    peerConnectionFactory: (configuration) => {
      window.connection = hears ? new TwoWay(configuration) : new RTCPeerConnection(configuration);
      window.connection.addEventListener("track", ({ track }) => {
        if (track.kind !== "audio") return;
        window.voice = new Audio();
        window.voice.srcObject = new MediaStream([track]);
        window.voice.play();
      });
      return window.connection;
    },
  });
  await window.client.ingest(
    await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 240 } }),
  );
};

// The energy of the sound that has come, as getStats counts it: more than 0 is more than silence.
window.heard = async () => {
  let energy = 0;
  for (const one of (await window.connection.getStats()).values()) {
    if (one.type === "inbound-rtp" && one.kind === "audio") energy += one.totalAudioEnergy;
  }
  return energy;
};
