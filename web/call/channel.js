// RTVI 2.1 on the data channel "chat".

const VERSION = "2.1.0";
const PING_EVERY_MS = 1_000;
/** How many characters of typed text the server takes at once. */
export const MAX_TEXT_CHARS = 4_000;
const ABOUT = { library: "vision-agent-page", library_version: "1.0.0", platform: "web" };

/** The index of each track's media section in the offer, as `trackStatus` names it. */
export const RECEIVER = Object.freeze({ microphone: 0, camera: 1, screen: 2 });

/**
 * @typedef {{type: string, id?: string, data?: any, [key: string]: any}} Message of RTVI
 * @typedef {object} ChannelListener
 * @property {() => void} onReady the agent is ready
 * @property {(message: Message) => void} onMessage
 * @property {() => void} onPeerLeft
 * @property {() => void} onClose
 */

export class Channel {
  #channel;
  /** @type {number|undefined} */
  #ping;
  #texts = 0;
  #readyId = crypto.randomUUID?.() ?? String(Math.random());

  /**
   * @param {RTCDataChannel} channel
   * @param {ChannelListener} listener
   */
  constructor(channel, listener) {
    this.#channel = channel;
    channel.addEventListener("open", () => {
      this.#send({
        type: "client-ready",
        id: this.#readyId,
        data: { version: VERSION, about: ABOUT },
      });
      this.#ping = setInterval(() => this.#raw(`ping: ${Date.now()}`), PING_EVERY_MS);
    });
    channel.addEventListener("close", () => {
      clearInterval(this.#ping);
      listener.onClose();
    });
    channel.addEventListener("message", ({ data }) => {
      const message = parse(data);
      if (message === null) return;
      if (message.type === "signalling") {
        if (message.message?.type === "peerLeft") listener.onPeerLeft();
        return;
      }
      if (message.type === "bot-ready" && message.id === this.#readyId) listener.onReady();
      listener.onMessage(message);
    });
  }

  /**
   * Sends text that the agent answers like speech.
   * @param {string} content
   * @returns {string|null} the message's id, which an error about it repeats; null: not sent
   */
  sendText(content) {
    const options = { run_immediately: true, audio_response: true };
    const id = `text-${Date.now()}-${this.#texts++}`;
    return this.#send({ type: "send-text", id, data: { content, options } }) ? id : null;
  }

  /**
   * @param {number} receiverIndex one of RECEIVER
   * @param {boolean} enabled false: the track carries nothing (muted, camera off)
   */
  trackStatus(receiverIndex, enabled) {
    const message = { type: "trackStatus", receiver_index: receiverIndex, enabled };
    this.#raw(JSON.stringify({ type: "signalling", message }));
  }

  /**
   * Tells the agent whether the camera sees more than what is sent.
   * @param {{width: number, height: number}} size the camera's, in pixels; 0 without a camera
   */
  cameraSize(size) {
    const data = { t: "camera_size", d: size };
    this.#send({ type: "client-message", id: String(Date.now()), data });
  }

  /** Ends the call on the server. */
  disconnectBot() {
    this.#send({ type: "disconnect-bot", id: String(Date.now()), data: {} });
  }

  /**
   * @param {Message} message
   * @returns {boolean} false: the channel is not open
   */
  #send(message) {
    return this.#raw(JSON.stringify({ label: "rtvi-ai", ...message }));
  }

  /** @param {string} text */
  #raw(text) {
    if (this.#channel.readyState !== "open") return false;
    this.#channel.send(text);
    return true;
  }
}

/**
 * @param {unknown} text
 * @returns {Message|null} null: not an RTVI message, for example a "pong"
 */
function parse(text) {
  if (typeof text !== "string" || !text.startsWith("{")) return null;
  try {
    const message = JSON.parse(text);
    return typeof message.type === "string" ? message : null;
  } catch {
    return null;
  }
}
