// One call, from dialling to goodbye, over as many peer connections as it needs.

import { Channel, RECEIVER } from "./channel.js";
import {
  callFailedNotice,
  callLostNotice,
  isFinal,
  NoMediaPath,
  NoNetwork,
  Refusal,
} from "./errors.js";
import { Peer } from "./peer.js";
import { TypedLines } from "./typed_lines.js";

const READY_TIMEOUT_MS = 20_000;
// Candidates take milliseconds. With the loopback interface alone, Chromium waits forever.
const ADDRESS_TIMEOUT_MS = 5_000;
// The wait before each attempt to reconnect, while a server may restart; then the call ends.
const RECONNECT_DELAYS_MS = [0, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000];
// The most that the server's Retry-After can extend a wait to.
const MAX_RECONNECT_DELAY_MS = 30_000;
// A server that ends a call sends a message and then closes the channel: let the message arrive.
const CHANNEL_CLOSE_GRACE_MS = 400;

/**
 * @typedef {import("./errors.js").Notice} Notice
 * @typedef {import("./channel.js").Message} Message
 * @typedef {import("./signalling.js").Answer} Answer
 * @typedef {object} CallListener
 * @property {(message: Message) => void} onMessage
 * @property {(track: MediaStreamTrack) => void} onVoice the agent's voice, once per connection
 * @property {(why: string) => void} onReconnecting
 * @property {() => void} onReady the agent is ready, at first and after each reconnection
 * @property {(answer: Answer, lost: boolean) => void} onAnswer lost: what to resume is gone
 * @property {(notice: Notice|null) => void} onEnded exactly once; null: the caller hung up
 */

export class Call {
  #signalling;
  #iceServers;
  #listener;
  #microphone;
  #camera;
  /** @type {MediaStreamTrack|null} */
  #screen = null;
  #muted = false;
  #unrecorded = false; // the caller has ended the recording
  /** @type {Peer|null} */
  #peer = null;
  /** @type {Set<Peer>} those not closed: the lost one is kept until its replacement is answered */
  #peers = new Set();
  /** @type {Channel|null} */
  #channel = null;
  #typed = new TypedLines();
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
   * @param {{signalling: import("./signalling.js").Signalling,
   *   iceServers: () => Promise<RTCIceServer[]>, microphone: MediaStreamTrack, muted: boolean,
   *   camera: MediaStreamTrack|null, agent: string|null, resume: string|null,
   *   listener: CallListener}} parts iceServers: asked for each connection, because credentials
   *   expire; agent: whom to call; resume: the token of a conversation with that agent
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

  /** Dials. The listener gets the outcome; nothing is thrown. */
  async start() {
    try {
      await this.#connect({ restart: false });
    } catch (error) {
      this.#end(callFailedNotice(error));
    }
  }

  /**
   * @param {string} text
   * @returns {string|null} the message's id; null: there is no connection to send it on
   */
  sendText(text) {
    const id = this.#channel?.sendText(text) ?? null;
    if (id !== null) this.#typed.sent({ id, text, atMs: performance.now() });
    return id;
  }

  /** @param {MediaStreamTrack|null} track null: camera off */
  async useCamera(track) {
    if (track === this.#camera) return;
    this.#camera = track;
    await this.#peer?.replaceCamera(track);
    this.#channel?.trackStatus(RECEIVER.camera, track !== null);
    this.#sendCameraSize();
  }

  async cameraResized() {
    this.#sendCameraSize();
    await this.#peer?.resized();
  }

  /**
   * @param {MediaStreamTrack|null} track null: no longer shared
   * @throws {Refusal|Unreachable|NotTheServer} the server did not take it; nothing is shared
   */
  async useScreen(track) {
    if (track === this.#screen) return;
    this.#screen = track;
    if (track === null) this.#channel?.trackStatus(RECEIVER.screen, false); // before the next question
    try {
      await this.#peer?.replaceScreen(track);
    } catch (error) {
      this.#screen = null;
      throw error;
    }
    if (track) this.#channel?.trackStatus(RECEIVER.screen, true);
  }

  /**
   * @param {Blob} picture what the next question is about
   * @param {string} name
   * @throws {Error} in words: it was not taken
   */
  async sendPicture(picture, name) {
    if (!this.#channel) throw new Error("There is no connection to send it on.");
    return this.#channel.sendPicture(new Uint8Array(await picture.arrayBuffer()), name);
  }

  /**
   * The caller no longer wants the call to be recorded.
   * @returns {boolean} false: there is no connection; the server is told on the next one
   */
  stopRecording() {
    this.#unrecorded = true;
    this.#signalling.options.record = false; // of a call that resumes this one
    return (this.#channel?.stopRecording() ?? false) && this.#phase !== "recovering";
  }

  async screenResized() {
    await this.#peer?.resized();
  }

  /** @param {number} seconds how long to send the camera's own resolution */
  async sendFullResolution(seconds) {
    await this.#peer?.sendFullResolution(seconds);
  }

  /**
   * @param {MediaStreamTrack} track
   * @param {boolean} muted also true if the track is the silence in place of a microphone
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

  /**
   * @param {{restart: boolean}} how restart: under the same call
   * @throws {Error} one of errors.js
   */
  async #connect({ restart }) {
    let ready = () => {};
    /** @type {Promise<void>} */
    const isReady = new Promise((resolve, reject) => {
      ready = resolve;
      this.#giveUp = reject;
    });
    isReady.catch(() => {}); // it may be rejected before it is awaited
    const iceServers = await this.#iceServers();
    if (this.#over) return;
    const peer = new Peer({
      signalling: this.#signalling,
      iceServers,
      microphone: this.#microphone,
      camera: this.#camera,
      screen: this.#screen,
      listener: {
        onVoice: (track) => this.#listener.onVoice(track),
        onLost: (why, gone) => this.#lost(peer, why, gone),
      },
    });
    this.#peer = peer;
    this.#peers.add(peer);
    const channel = new Channel(peer.channel, {
      onReady: () => ready(),
      onMessage: (message) => {
        if (peer === this.#peer) this.#onMessage(message);
      },
      onPeerLeft: () => {
        if (peer === this.#peer) this.#endedByServer("The agent left the call.");
      },
      onClose: () =>
        setTimeout(() => this.#lost(peer, "The server closed the line."), CHANNEL_CLOSE_GRACE_MS),
    });
    this.#channel = channel;
    const timer = setTimeout(
      () => this.#giveUp(noMediaPath(peer, "The server answered, but the call did not come up.")),
      READY_TIMEOUT_MS,
    );
    const addressTimer = setTimeout(() => {
      if (!peer.hasAddress) this.#giveUp(new NoNetwork());
    }, ADDRESS_TIMEOUT_MS);
    const resume = restart ? null : this.#resume;
    let anew = false;
    try {
      const about = { pcId: this.#pcId, restart, agent: this.#agent, resume };
      const answer = await peer.negotiate(about);
      this.#pcId = answer.pc_id;
      if (!restart && !this.#over) {
        this.#resume = answer.resume ?? null;
        anew = resume !== null && answer.resumed === false;
        this.#listener.onAnswer(answer, anew);
      }
      // Not earlier: the server takes the end of a call's only connection for a goodbye.
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
    this.#sendCameraSize();
    // The server knows the ids. What a new call lacks, #onMessage finds.
    if (restart) this.#sendAgain(this.#typed.unsure());
    else if (anew) this.#sendAgain(this.#typed.unanswered());
    if (restart && this.#unrecorded) channel.stopRecording();
    this.#phase = "up";
    this.#listener.onReady();
  }

  /** @param {Message} message */
  #onMessage(message) {
    const { type, data } = message;
    const ended = type === "server-message" && data?.kind === "state" && data.state === "ended";
    if (ended && data.come_back && this.#resume && this.#phase === "up") {
      // The restarted server, or another one, resumes the conversation.
      this.#pcId = null;
      this.#closePeers();
      this.#peer = null;
      this.#recover(sentence(data.reason || "The server is restarting"));
      return;
    }
    this.#listener.onMessage(message);
    if (type === "bot-llm-started") this.#typed.answered();
    if (type === "server-message" && data?.kind === "resumed") {
      this.#sendAgain(this.#typed.missing(data.earlier));
    }
    if (ended) {
      this.#endedByServer(data.reason || "The agent ended the call.");
    } else if (type === "error" && data?.fatal) {
      this.#endedByServer(data.message ?? data.error ?? "The agent had to stop.");
    }
  }

  /** @param {import("./typed_lines.js").TypedLine[]} lines */
  #sendAgain(lines) {
    for (const { id, text } of lines) this.#channel?.sendText(text, id);
  }

  #sendCameraSize() {
    const { width = 0, height = 0 } = this.#camera?.getSettings() ?? {};
    this.#channel?.cameraSize({ width, height });
  }

  /**
   * @param {Peer} peer
   * @param {string} why a sentence
   * @param {boolean} gone the server no longer has the call: only a new one can resume it
   */
  #lost(peer, why, gone = false) {
    if (this.#over || peer !== this.#peer) return;
    if (gone && this.#resume) this.#pcId = null;
    if (this.#phase === "up") this.#recover(why);
    else this.#giveUp(noMediaPath(peer, why)); // start() or #recover() decides what follows
  }

  /** @param {string} why a sentence */
  async #recover(why) {
    this.#phase = "recovering";
    this.#typed.lost(performance.now());
    /** @type {unknown} */
    let last = new NoMediaPath(why);
    for (const delayMs of RECONNECT_DELAYS_MS) {
      if (this.#over) return;
      this.#listener.onReconnecting(why);
      const retryAfterMs = last instanceof Refusal ? (last.retryAfterS ?? 0) * 1_000 : 0;
      await pause(Math.max(delayMs, Math.min(retryAfterMs, MAX_RECONNECT_DELAY_MS)));
      if (this.#over) return;
      try {
        await this.#reconnect();
        return;
      } catch (error) {
        last = error;
        if (isFinal(error)) break;
      }
    }
    this.#end(callLostNotice(why, last));
  }

  /** Under the same call; if the server has dropped it, in a new call that resumes it. */
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

  /** @param {Peer} peer */
  #closePeer(peer) {
    this.#peers.delete(peer);
    peer.close();
  }

  /** @param {Peer|null} except */
  #closePeers(except = null) {
    for (const peer of this.#peers) if (peer !== except) this.#closePeer(peer);
  }

  /** @param {string} reason */
  #endedByServer(reason) {
    this.#pcId = null; // the server has dropped the call and needs no goodbye
    this.#end({ title: "Call ended", text: sentence(reason), action: "Call again" });
  }

  /** @param {Notice|null} notice null: the caller hung up */
  #end(notice) {
    if (this.#over) return;
    this.#over = true;
    this.#channel?.disconnectBot();
    if (this.#pcId !== null) this.#signalling.goodbye(this.#pcId);
    this.#closePeers();
    this.#giveUp(new NoMediaPath("The call is over."));
    this.#listener.onEnded(notice);
  }
}

/**
 * @param {Peer} peer the connection that did not come up, or whose agent never got ready
 * @param {string} otherwise the sentence if there was a path
 */
function noMediaPath(peer, otherwise) {
  const why = peer.whyNotConnected();
  return why ? new NoMediaPath(why.what, why.advice) : new NoMediaPath(otherwise);
}

/**
 * Waits this long, or until this device is online again.
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
