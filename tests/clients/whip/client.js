// Eyevinn's WHIP client as an encoder's page uses it.
import { WHIPClient } from "@eyevinn/whip-web-client";

// The client asks for no sound in return, by legacy options of createOffer. Without them the
// sections send and receive.
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

// The energy of the received sound, as getStats counts it; digital silence adds none.
window.heard = async () => {
  let energy = 0;
  for (const one of (await window.connection.getStats()).values()) {
    if (one.type === "inbound-rtp" && one.kind === "audio") energy += one.totalAudioEnergy;
  }
  return energy;
};
