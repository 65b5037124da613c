// One call, from dialling to goodbye, over as many peer connections as it takes.

import { Channel, RECEIVER } from "./channel.js";
import { Peer } from "./peer.js";
import { NoNetwork, NoPath, Refusal, callProblem, isFinal, lostProblem } from "./problems.js";

const READY_TIMEOUT_MS = 20_000;
// Addresses are found within milliseconds. Chromium waits for ever if all there is is loopback.
const ADDRESS_TIMEOUT_MS = 5_000;
// How long to wait before each try to get back into a call. Then it is over.
// A server that is started again takes some seconds, with the local engine more.
const RECONNECT_DELAYS_MS = [0, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000];
// A server that asks for more time gets it, up to this.
const MAX_RECONNECT_DELAY_MS = 30_000;
// A server that ends a call says so first and then closes the channel; leave its words time.
const CHANNEL_CLOSE_GRACE_MS = 400;

/**
 * @typedef {object} CallListener
 * @property {(message: {type: string, data?: any}) => void} onMessage an RTVI message
 * @property {(track: MediaStreamTrack) => void} onVoice the agent's voice, once per connection
 * @property {(why: string) => void} onReconnecting
 * @property {() => void} onReady the agent is there, at first and after a reconnection
 * @property {(answer: {resume?: string, resume_within_s?: number}, forgotten: boolean) => void}
 *   onAnswer a call is made; forgotten: it was to continue a conversation that the server has lost
 * @property {(problem: import("./problems.js").Problem|null) => void} onEnded exactly once; null
 *   if the person hung up
 */

export class Call {
  #signalling;
  #iceServers;
  #listener;
  #microphone;
  #camera;
  #muted = false;
  /** @type {Peer|null} */
  #peer = null;
  /** All that are not closed: while a new one is being made, the lost one is kept. */
  #peers = new Set();
  /** @type {Channel|null} */
  #channel = null;
  /** @type {string|null} */
  #pcId = null;
  #agent;
  #resume;
  #over = false;
  /** @type {"dialling"|"up"|"recovering"} */
  #phase = "dialling";
  /** @type {(error: Error) => void} */
  #giveUp = () => {};

  /**
   * @param {{signalling: import("./signalling.js").Signalling, iceServers: RTCIceServer[],
   *   microphone: MediaStreamTrack, muted: boolean, camera: MediaStreamTrack|null,
   *   agent: string|null, resume: string|null, listener: CallListener}} parts agent: whom to call;
   *   resume: continues a conversation with it
   */
  constructor({ signalling, iceServers, microphone, muted, camera, agent, resume, listener }) {
    this.#signalling = signalling;
    this.#iceServers = iceServers;
    this.#microphone = microphone;
    this.#muted = muted;
    this.#camera = camera;
    this.#agent = agent;
    this.#resume = resume;
    this.#listener = listener;
  }

  /** Dials. Every outcome, good or bad, comes through the listener. */
  async start() {
    try {
      await this.#connect({ restart: false });
    } catch (error) {
      this.#end(callProblem(error));
    }
  }

  /** @param {string} text @returns {string|null} the message's id; null: nobody is there to read it */
  sendText(text) {
    return this.#channel?.sendText(text) ?? null;
  }

  /** @param {MediaStreamTrack|null} track null: camera off */
  async useCamera(track) {
    if (track === this.#camera) return;
    this.#camera = track;
    await this.#peer?.replaceCamera(track);
    this.#channel?.trackStatus(RECEIVER.camera, track !== null);
    this.#tellCameraSize();
  }

  async pictureResized() {
    this.#tellCameraSize();
    await this.#peer?.pictureResized();
  }

  /** @param {number} seconds how long the camera's own resolution is wanted */
  async fullPicture(seconds) {
    await this.#peer?.fullPicture(seconds);
  }

  /**
   * @param {MediaStreamTrack} track
   * @param {boolean} muted true also when the track is silence that stands in for a microphone
   */
  async useMicrophone(track, muted) {
    if (track === this.#microphone && muted === this.#muted) return;
    this.#microphone = track;
    this.#muted = muted;
    await this.#peer?.replaceMicrophone(track);
    this.#channel?.trackStatus(RECEIVER.microphone, !muted);
  }

  hangUp() {
    this.#end(null);
  }

  async #connect({ restart }) {
    let ready = () => {};
    /** @type {Promise<void>} */
    const isReady = new Promise((resolve, reject) => {
      ready = resolve;
      this.#giveUp = reject;
    });
    isReady.catch(() => {}); // it may be refused before anybody waits for it
    const peer = new Peer({
      signalling: this.#signalling,
      iceServers: this.#iceServers,
      microphone: this.#microphone,
      camera: this.#camera,
      listener: {
        onVoice: (track) => this.#listener.onVoice(track),
        onLost: (why) => this.#lost(peer, why),
      },
    });
    this.#peer = peer;
    this.#peers.add(peer);
    const channel = new Channel(peer.channel, {
      onReady: () => ready(),
      onMessage: (message) => peer === this.#peer && this.#take(message),
      onPeerLeft: () => peer === this.#peer && this.#endedByServer("The agent left the call."),
      onClose: () =>
        setTimeout(() => this.#lost(peer, "The server closed the line."), CHANNEL_CLOSE_GRACE_MS),
    });
    this.#channel = channel;
    const timer = setTimeout(
      () => this.#giveUp(new NoPath("The server answered, but the call did not come up.")),
      READY_TIMEOUT_MS,
    );
    const addressTimer = setTimeout(() => {
      if (!peer.hasAddress) this.#giveUp(new NoNetwork());
    }, ADDRESS_TIMEOUT_MS);
    try {
      const asked = restart ? null : this.#resume;
      const which = { pcId: this.#pcId, restart, agent: this.#agent, resume: asked };
      const answer = await peer.negotiate(which);
      this.#pcId = answer.pc_id;
      if (!restart && !this.#over) {
        this.#resume = answer.resume ?? null;
        this.#listener.onAnswer(answer, asked !== null && answer.resumed === false);
      }
      // Not before: a server that sees its only connection closed takes it for a goodbye.
      this.#closePeers(peer);
      if (this.#over) return;
      await isReady;
    } catch (error) {
      this.#closePeer(peer);
      throw error;
    } finally {
      clearTimeout(timer);
      clearTimeout(addressTimer);
    }
    if (this.#over) return;
    if (this.#muted) channel.trackStatus(RECEIVER.microphone, false);
    if (this.#camera === null) channel.trackStatus(RECEIVER.camera, false);
    this.#tellCameraSize();
    this.#phase = "up";
    this.#listener.onReady();
  }

  #take(message) {
    const { type, data } = message;
    const ended = type === "server-message" && data?.kind === "state" && data.state === "ended";
    if (ended && data.come_back && this.#resume && this.#phase === "up") {
      // Another server, or the same one anew, goes on with the conversation.
      this.#pcId = null;
      this.#closePeers();
      this.#peer = null;
      this.#recover(sentence(data.reason || "The server is restarting"));
      return;
    }
    this.#listener.onMessage(message);
    if (ended) {
      this.#endedByServer(data.reason || "The agent ended the call.");
    } else if (type === "error" && data?.fatal) {
      this.#endedByServer(data.message ?? data.error ?? "The agent had to stop.");
    }
  }

  // So that the agent knows whether there is more to see than what is sent.
  #tellCameraSize() {
    const { width = 0, height = 0 } = this.#camera?.getSettings() ?? {};
    this.#channel?.clientMessage("camera_size", { width, height });
  }

  #lost(peer, why) {
    if (this.#over || peer !== this.#peer) return;
    if (this.#phase === "up") this.#recover(why);
    else this.#giveUp(new NoPath(why)); // whoever is connecting decides what comes next
  }

  async #recover(why) {
    this.#phase = "recovering";
    /** @type {Error} */
    let last = new NoPath(why);
    for (const delayMs of RECONNECT_DELAYS_MS) {
      if (this.#over) return;
      this.#listener.onReconnecting(why);
      const askedMs = last instanceof Refusal ? (last.retryAfterS ?? 0) * 1_000 : 0;
      await pause(Math.max(delayMs, Math.min(askedMs, MAX_RECONNECT_DELAY_MS)));
      if (this.#over) return;
      try {
        await this.#reconnect();
        return;
      } catch (error) {
        last = error;
        if (isFinal(error)) break;
      }
    }
    this.#end(lostProblem(why, last));
  }

  /** Under the same call, or, if the server has let go of it, in a new one that continues it. */
  async #reconnect() {
    if (this.#pcId !== null) {
      try {
        await this.#connect({ restart: true });
        return;
      } catch (error) {
        if (!(error instanceof Refusal && error.status === 404 && this.#resume)) throw error;
        this.#pcId = null;
      }
    }
    await this.#connect({ restart: false });
  }

  #closePeer(peer) {
    this.#peers.delete(peer);
    peer.close();
  }

  /** @param {Peer|null} except */
  #closePeers(except = null) {
    for (const peer of this.#peers) if (peer !== except) this.#closePeer(peer);
  }

  #endedByServer(reason) {
    this.#pcId = null; // it has let go of the call: there is nobody to say goodbye to
    this.#end({ title: "Call ended", text: sentence(reason), action: "Call again" });
  }

  #end(problem) {
    if (this.#over) return;
    this.#over = true;
    this.#channel?.disconnectBot();
    if (this.#pcId !== null) this.#signalling.goodbye(this.#pcId);
    this.#closePeers();
    this.#giveUp(new NoPath("The call is over."));
    this.#listener.onEnded(problem);
  }
}

/**
 * Waits; a device that has its network back waits no longer.
 * @param {number} ms
 * @returns {Promise<void>}
 */
function pause(ms) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
  });
}

/** @param {string} words */
function sentence(words) {
  const text = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
