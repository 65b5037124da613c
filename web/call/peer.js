// One WebRTC peer connection: from offer to connected. A lost one is never repaired (the server
// cannot restart ICE) but replaced by another; see call.js.

import { cameraEncoding, capCamera } from "./sender.js";

// Candidates that turn up together travel together.
const CANDIDATE_BATCH_MS = 40;
// The server sends sound 50 times a second, silence included, so some seconds without a packet are
// a lost connection. Chromium says "disconnected" only after 8 s, when the server lets go as well.
const CHECK_EVERY_MS = 1_000;
const LOST_AFTER_CHECKS = 4;

export class Peer {
  /** The browser has found at least one address of its own to call from. */
  hasAddress = false;
  #pc;
  #signalling;
  #listener;
  /** @type {string|null} */
  #pcId = null;
  #waiting = [];
  #batchTimer;
  #checkTimer;
  #capping = Promise.resolve();
  #full = false;
  #fullTimer;
  #closed = false;
  #told = false;

  /**
   * @param {{signalling: import("./signalling.js").Signalling, iceServers: RTCIceServer[],
   *   microphone: MediaStreamTrack, camera: MediaStreamTrack|null,
   *   listener: {onVoice(track: MediaStreamTrack): void, onLost(why: string): void}}} parts
   */
  constructor({ signalling, iceServers, microphone, camera, listener }) {
    this.#signalling = signalling;
    this.#listener = listener;
    this.#pc = new RTCPeerConnection({ iceServers });
    // The order of the sections is part of the protocol: 0 sound, 1 camera, then the channel. The
    // camera's section is there without a camera too, so that one can join later.
    this.#pc.addTransceiver(microphone, { direction: "sendrecv" });
    this.#pc.addTransceiver(camera ?? "video", {
      direction: "sendonly",
      sendEncodings: [cameraEncoding(camera)],
    });
    /** @type {RTCDataChannel} */
    this.channel = this.#pc.createDataChannel("chat", { ordered: true });
    this.#pc.addEventListener("track", ({ track }) => {
      if (track.kind === "audio") listener.onVoice(track);
    });
    this.#pc.addEventListener("icecandidate", ({ candidate }) => this.#trickle(candidate));
    this.#pc.addEventListener("connectionstatechange", () => this.#watch());
  }

  /**
   * Offers, and takes the answer. Media may still take a moment after that.
   * @param {Parameters<import("./signalling.js").Signalling["offer"]>[1]} which
   * @returns {ReturnType<import("./signalling.js").Signalling["offer"]>} the answer
   * @throws {Refusal|Unreachable}
   */
  async negotiate(which) {
    await this.#pc.setLocalDescription();
    const offer = /** @type {RTCSessionDescription} */ (this.#pc.localDescription);
    const answer = await this.#signalling.offer(offer, which);
    if (this.#closed) {
      this.#signalling.goodbye(answer.pc_id); // hung up while it rang
      return answer;
    }
    await this.#pc.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    this.#pcId = answer.pc_id;
    this.#sendCandidates();
    await this.#cap();
    return answer;
  }

  /** @param {MediaStreamTrack|null} track */
  async replaceCamera(track) {
    const { sender } = this.#pc.getTransceivers()[1];
    await sender.replaceTrack(track);
    await this.#cap();
  }

  /** @param {MediaStreamTrack} track */
  async replaceMicrophone(track) {
    await this.#pc.getTransceivers()[0].sender.replaceTrack(track);
  }

  /** For a camera that changed its size under way. */
  async pictureResized() {
    await this.#cap();
  }

  /** The agent looks closely: all the pixels there are, for a moment. */
  async fullPicture(seconds) {
    this.#full = true;
    clearTimeout(this.#fullTimer);
    this.#fullTimer = setTimeout(() => {
      this.#full = false;
      this.#cap();
    }, seconds * 1_000);
    await this.#cap();
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#fullTimer);
    clearTimeout(this.#batchTimer);
    clearInterval(this.#checkTimer);
    this.#pc.close();
  }

  // One after the other: setParameters is refused if another came after its getParameters.
  #cap() {
    // An uncapped picture costs more, but it is one: no reason to end anything.
    this.#capping = this.#capping.then(() => this.#capNow()).catch(console.warn);
    return this.#capping;
  }

  async #capNow() {
    if (this.#closed || this.#pc.signalingState !== "stable") return;
    const camera = this.#pc.getTransceivers()[1];
    if (camera.currentDirection === "sendonly" || camera.currentDirection === "sendrecv") {
      await capCamera(camera.sender, this.#full);
    }
  }

  #trickle(candidate) {
    // The server listens on UDP only; a browser without any network still offers TCP.
    if (candidate?.protocol === "udp") this.hasAddress = true;
    this.#waiting.push(candidate);
    if (this.#pcId === null || this.#batchTimer) return;
    this.#batchTimer = setTimeout(() => this.#sendCandidates(), CANDIDATE_BATCH_MS);
  }

  #sendCandidates() {
    this.#batchTimer = undefined;
    const batch = this.#waiting.splice(0);
    if (batch.length === 0 || this.#closed || this.#pcId === null) return;
    // A batch that is lost costs at most a path; if none is left, the connection timer tells.
    this.#signalling.candidates(this.#pcId, batch).catch((error) => console.warn(error));
  }

  #watch() {
    const state = this.#pc.connectionState;
    if (state === "failed" || state === "closed") this.#lost("The connection was lost.");
    if (state !== "connected" || this.#checkTimer) return;
    let before = 0;
    let silentChecks = 0;
    this.#checkTimer = setInterval(async () => {
      const packets = await this.#soundPackets();
      silentChecks = packets > before ? 0 : silentChecks + 1;
      before = packets;
      if (silentChecks >= LOST_AFTER_CHECKS) this.#lost("The connection was interrupted.");
    }, CHECK_EVERY_MS);
  }

  async #soundPackets() {
    const stats = await this.#pc.getTransceivers()[0].receiver.getStats();
    for (const one of stats.values()) if (one.type === "inbound-rtp") return one.packetsReceived;
    return 0;
  }

  #lost(why) {
    if (this.#closed || this.#told) return;
    this.#told = true;
    clearInterval(this.#checkTimer);
    this.#listener.onLost(why);
  }
}
