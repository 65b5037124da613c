// RTVI 2.1 on the data channel "chat".

const VERSION = "2.1.0";
const PING_EVERY_MS = 1_000;
// How many characters of typed text the server takes at once.
const MAX_TEXT_CHARS = 4_000;
// A part of a picture, in bytes: its base64 fits into a message.
const PART_BYTES = 36_000;
const RESPONSE_MS = 20_000;
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
  /** @type {Map<string, (message: Message) => void>} requests that wait for a response, by id */
  #requests = new Map();
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
      const answered = this.#requests.get(message.id ?? "");
      if (answered) {
        answered(message);
        return;
      }
      if (message.type === "bot-ready" && message.id === this.#readyId) listener.onReady();
      listener.onMessage(message);
    });
  }

  /**
   * Sends text that the agent answers like speech.
   * @param {string} content
   * @param {string} [again] the id under which it was sent on another connection of this call
   * @returns {string|null} the message's id, which an error about it repeats; null: not sent
   */
  sendText(content, again) {
    const options = { run_immediately: true, audio_response: true };
    const id = again ?? `text-${Date.now()}-${this.#texts++}`;
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

  /**
   * The caller no longer wants the call to be recorded.
   * @returns {boolean} false: not sent
   */
  stopRecording() {
    const data = { t: "recording", d: { on: false } };
    return this.#send({ type: "client-message", id: String(Date.now()), data });
  }

  /**
   * Sends a picture in parts; the next question is about it, and about those sent just before.
   * @param {Uint8Array} bytes a JPEG, PNG, WebP or GIF file
   * @param {string} name
   * @returns {Promise<{left_out?: string}>} the picture that the question is no longer about
   * @throws {Error} the server did not take it; the message is its sentence
   */
  async sendPicture(bytes, name) {
    const id = `picture-${Date.now()}`;
    let taken = {};
    const parts = Math.ceil(bytes.length / PART_BYTES);
    for (let part = 0; part < parts; part++) {
      const piece = bytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);
      const data = btoa(Array.from(piece, (byte) => String.fromCharCode(byte)).join(""));
      taken = await this.#request(`${id}-${part}`, "picture", { id, name, part, parts, data });
    }
    return taken ?? {};
  }

  /**
   * @param {string} id
   * @param {string} type
   * @param {object} data
   * @returns {Promise<any>} the response's data
   * @throws {Error} refused, not answered, or not sent
   */
  #request(id, type, data) {
    return new Promise((resolve, reject) => {
      const fail = (/** @type {string} */ words) => {
        this.#requests.delete(id);
        reject(new Error(words));
      };
      const timer = setTimeout(() => fail("The server did not take the picture."), RESPONSE_MS);
      this.#requests.set(id, (message) => {
        clearTimeout(timer);
        this.#requests.delete(id);
        if (message.type === "server-response") resolve(message.data?.d);
        else reject(new Error(message.data?.message ?? "The server refused it."));
      });
      if (!this.#send({ type: "client-message", id, data: { t: type, d: data } })) {
        clearTimeout(timer);
        fail("There is no connection to send it on.");
      }
    });
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
 * @param {string} text that was typed
 * @returns {string|null} why the server would not take it, in a sentence
 */
export function whyTooLong(text) {
  const { length } = [...text];
  if (length <= MAX_TEXT_CHARS) return null;
  const most = MAX_TEXT_CHARS.toLocaleString("en");
  return `The text is too long: ${length.toLocaleString("en")} characters, and at most ${most} are taken at once. Send it in parts.`;
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
