// One WebRTC peer connection, from offer to connected. The server cannot restart ICE, so a lost
// connection is replaced by a new one; see call.js.

import { Refusal } from "./errors.js";
import { candidatesOf, whyNoPath } from "./path_report.js";
import { Silence } from "./silence.js";
import { applyVideoEncoding, screenEncoding, videoEncoding } from "./video_encoding.js";

// Candidates that are gathered together are sent together.
const CANDIDATE_BATCH_MS = 40;
const LOOK_EVERY_MS = 250;
// A silence this long is a loss if the device's network has changed, or the browser itself reports
// that nothing arrives.
const MOVED_AFTER_MS = 600;

/**
 * @typedef {import("./signalling.js").Signalling} Signalling
 * @typedef {{onVoice(track: MediaStreamTrack): void, onLost(why: string, gone: boolean): void}} PeerListener gone:
 *   the server no longer has the call
 */

export class Peer {
  /** Whether the browser has gathered a candidate to call from. */
  hasAddress = false;
  #pc;
  #signalling;
  #listener;
  /** @type {string|null} */
  #pcId = null;
  /** @type {(RTCIceCandidate|null)[]} */
  #unsent = [];
  /** @type {number|undefined} */
  #batchTimer;
  /** @type {number|undefined} */
  #checkTimer;
  /** @type {Promise<void>} */
  #encodingApplied = Promise.resolve();
  #fullResolution = false;
  /** @type {RTCRtpTransceiver|null} null: no screen has been shared on this connection */
  #screen = null;
  /** @type {number|undefined} */
  #fullTimer;
  #closed = false;
  #lossReported = false;
  #hasTurn;
  /** @type {Set<string>} */
  #ownTypes = new Set();
  #answer = "";
  /** @type {Map<string, {url: string, code: number, text: string}>} */
  #failures = new Map();
  #networkChanged = () => this.#lookSoon();

  /**
   * @param {{signalling: Signalling, iceServers: RTCIceServer[], microphone: MediaStreamTrack,
   *   camera: MediaStreamTrack|null, screen: MediaStreamTrack|null, listener: PeerListener}} parts
   */
  constructor({ signalling, iceServers, microphone, camera, screen, listener }) {
    this.#signalling = signalling;
    this.#listener = listener;
    this.#pc = new RTCPeerConnection({ iceServers });
    this.#hasTurn = iceServers.some(({ urls }) =>
      [urls].flat().some((url) => /^turns?:/.test(url)),
    );
    // The order of the media sections is part of the protocol: 0 audio, 1 camera, then the channel.
    // A screen is the second video section, wherever it stands.
    // A call without camera offers the video section too, so that a camera can be added later.
    this.#pc.addTransceiver(microphone, { direction: "sendrecv" });
    this.#pc.addTransceiver(camera ?? "video", {
      direction: "sendonly",
      sendEncodings: [videoEncoding(camera)],
    });
    if (screen) this.#addScreen(screen);
    /** @type {RTCDataChannel} */
    this.channel = this.#pc.createDataChannel("chat", { ordered: true });
    this.#pc.addEventListener("track", ({ track }) => {
      if (track.kind === "audio") listener.onVoice(track);
    });
    this.#pc.addEventListener("icecandidate", ({ candidate }) => this.#trickle(candidate));
    this.#pc.addEventListener("icecandidateerror", ({ url, errorCode, errorText }) => {
      this.#failures.set(url ?? "", { url: url ?? "", code: errorCode, text: errorText });
    });
    this.#pc.addEventListener("connectionstatechange", () => this.#watch());
    this.#pc.addEventListener("iceconnectionstatechange", () => {
      if (this.#pc.iceConnectionState === "disconnected") this.#lookSoon();
    });
    addEventListener("online", this.#networkChanged);
    networkInformation()?.addEventListener("change", this.#networkChanged);
  }

  /**
   * Sends the offer and applies the answer. Media may take a moment longer.
   * @param {import("./signalling.js").OfferTarget} target
   * @returns {Promise<import("./signalling.js").Answer>}
   * @throws {Refusal|Unreachable|NotTheServer}
   */
  async negotiate(target) {
    await this.#pc.setLocalDescription();
    const offer = /** @type {RTCSessionDescription} */ (this.#pc.localDescription);
    const answer = await this.#signalling.offer(offer, target);
    if (this.#closed) {
      this.#signalling.goodbye(answer.pc_id); // hung up in the meantime
      return answer;
    }
    this.#answer = answer.sdp;
    await this.#pc.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    this.#pcId = answer.pc_id;
    this.#sendCandidates();
    await this.#applyEncoding();
    return answer;
  }

  /** @param {MediaStreamTrack|null} track */
  async replaceCamera(track) {
    const { sender } = this.#pc.getTransceivers()[1];
    await sender.replaceTrack(track);
    await this.#applyEncoding();
  }

  /**
   * Shares a screen, another one, or none. The first one is a section of its own: the server answers a
   * further offer.
   * @param {MediaStreamTrack|null} track
   * @throws {Refusal|Unreachable|NotTheServer}
   */
  async replaceScreen(track) {
    if (this.#screen) await this.#screen.sender.replaceTrack(track);
    else if (track) {
      this.#addScreen(track);
      await this.#renegotiate();
    }
    await this.#applyEncoding();
  }

  /** A track's size has changed. */
  async resized() {
    await this.#applyEncoding();
  }

  /** @param {MediaStreamTrack} track */
  #addScreen(track) {
    const sendEncodings = [screenEncoding(track)];
    this.#screen = this.#pc.addTransceiver(track, { direction: "sendonly", sendEncodings });
  }

  async #renegotiate() {
    await this.#pc.setLocalDescription();
    const offer = /** @type {RTCSessionDescription} */ (this.#pc.localDescription);
    try {
      const answer = await this.#signalling.offer(offer, { pcId: this.#pcId, restart: false });
      if (!this.#closed) await this.#pc.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    } catch (error) {
      if (this.#pc.signalingState === "have-local-offer") {
        await this.#pc.setLocalDescription({ type: "rollback" });
      }
      this.#screen?.stop();
      this.#screen = null;
      throw error;
    }
  }

  /** @param {MediaStreamTrack} track */
  async replaceMicrophone(track) {
    await this.#pc.getTransceivers()[0].sender.replaceTrack(track);
  }

  /** @param {number} seconds how long to send the camera's own resolution */
  async sendFullResolution(seconds) {
    this.#fullResolution = true;
    clearTimeout(this.#fullTimer);
    this.#fullTimer = setTimeout(() => {
      this.#fullResolution = false;
      this.#applyEncoding();
    }, seconds * 1_000);
    await this.#applyEncoding();
  }

  /**
   * Why there is no connection yet.
   * @returns {{what: string, advice: string}|null} sentences; null: there is one
   */
  whyNotConnected() {
    if (this.#pc.connectionState === "connected") return null;
    return whyNoPath({
      host: location.hostname,
      hasTurn: this.#hasTurn,
      ownTypes: [...this.#ownTypes],
      serverCandidates: candidatesOf(this.#answer),
      failures: [...this.#failures.values()],
    });
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    removeEventListener("online", this.#networkChanged);
    networkInformation()?.removeEventListener("change", this.#networkChanged);
    clearTimeout(this.#fullTimer);
    clearTimeout(this.#batchTimer);
    clearInterval(this.#checkTimer);
    this.#pc.close();
  }

  // One at a time: setParameters fails if another call came after its getParameters. If it fails,
  // the frames only cost more.
  #applyEncoding() {
    this.#encodingApplied = this.#encodingApplied
      .then(() => this.#applyEncodingNow())
      .catch(console.warn);
    return this.#encodingApplied;
  }

  async #applyEncodingNow() {
    if (this.#closed || this.#pc.signalingState !== "stable") return;
    const camera = this.#pc.getTransceivers()[1];
    if (sends(camera)) {
      const encoding = videoEncoding(camera.sender.track, this.#fullResolution);
      await applyVideoEncoding(camera.sender, encoding);
    }
    if (this.#screen && sends(this.#screen)) {
      await applyVideoEncoding(this.#screen.sender, screenEncoding(this.#screen.sender.track));
    }
  }

  /** @param {RTCIceCandidate|null} candidate */
  #trickle(candidate) {
    // The server listens on UDP only; a browser without a network still offers TCP candidates.
    if (candidate?.protocol === "udp") this.hasAddress = true;
    if (candidate?.type) this.#ownTypes.add(candidate.type);
    this.#unsent.push(candidate);
    if (this.#pcId === null || this.#batchTimer) return;
    this.#batchTimer = setTimeout(() => this.#sendCandidates(), CANDIDATE_BATCH_MS);
  }

  #sendCandidates() {
    this.#batchTimer = undefined;
    const batch = this.#unsent.splice(0);
    if (batch.length === 0 || this.#closed || this.#pcId === null) return;
    // A lost batch costs at most one path. If none is left, the call's timer ends the attempt.
    this.#signalling.candidates(this.#pcId, batch).catch(console.warn);
  }

  #watch() {
    const state = this.#pc.connectionState;
    if (state === "failed" || state === "closed") this.#lost("The connection was lost.");
    if (state !== "connected" || this.#checkTimer) return;
    const silence = new Silence(performance.now());
    this.#checkTimer = setInterval(async () => {
      const todo = silence.judge(performance.now(), await this.#audioPackets());
      if (todo === "ask") this.#askForCall();
      if (todo === "lost") this.#lost("The connection was interrupted.");
    }, LOOK_EVERY_MS);
  }

  /** Gives the connection up if the server no longer has the call; other failures prove nothing. */
  async #askForCall() {
    if (this.#closed || this.#pcId === null) return;
    try {
      await this.#signalling.candidates(this.#pcId, []);
    } catch (error) {
      if (!(error instanceof Refusal && error.status === 404)) return;
      this.#lost("The server lost the call.", true);
    }
  }

  /** If nothing arrives any more, gives up a connection that was up within a second. */
  async #lookSoon() {
    if (this.#closed || !this.#checkTimer) return;
    const before = await this.#audioPackets();
    setTimeout(async () => {
      if (this.#closed || (await this.#audioPackets()) > before) return;
      this.#lost("The network has changed.");
    }, MOVED_AFTER_MS);
  }

  /** @returns {Promise<number>} */
  async #audioPackets() {
    const stats = await this.#pc.getTransceivers()[0].receiver.getStats();
    const inbound = [...stats.values()].find(({ type }) => type === "inbound-rtp");
    return inbound?.packetsReceived ?? 0;
  }

  /**
   * @param {string} why a sentence
   * @param {boolean} gone the server no longer has the call
   */
  #lost(why, gone = false) {
    if (this.#closed || this.#lossReported) return;
    this.#lossReported = true;
    clearInterval(this.#checkTimer);
    this.#listener.onLost(why, gone);
  }
}

/**
 * The object that reports a change of network, in browsers that have it.
 * @returns {EventTarget|undefined}
 */
function networkInformation() {
  return /** @type {{connection?: EventTarget}} */ (navigator).connection;
}

/** @param {RTCRtpTransceiver} transceiver */
function sends({ currentDirection }) {
  return currentDirection === "sendonly" || currentDirection === "sendrecv";
}
