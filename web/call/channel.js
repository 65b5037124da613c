// RTVI 2.1 on the data channel "chat".

const VERSION = "2.1.0";
const PING_EVERY_MS = 1_000;
/** Characters of a typed line that the server takes. */
export const MAX_TEXT_CHARS = 4_000;
const ABOUT = { library: "vision-agent-page", library_version: "1.0.0", platform: "web" };

/** Which section of the offer a track belongs to, as the server counts them. */
export const RECEIVER = Object.freeze({ microphone: 0, camera: 1 });

export class Channel {
  #channel;
  #ping;
  #texts = 0;
  #readyId = crypto.randomUUID?.() ?? String(Math.random());

  /**
   * @param {RTCDataChannel} channel
   * @param {{onReady(): void, onMessage(message: {type: string, data?: any}): void,
   *   onPeerLeft(): void, onClose(): void}} listener
   */
  constructor(channel, listener) {
    this.#channel = channel;
    channel.addEventListener("open", () => {
      this.#send({ type: "client-ready", id: this.#readyId, data: { version: VERSION, about: ABOUT } });
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
   * Text for the agent, as if it had been said.
   * @param {string} content
   * @returns {string|null} the message's id, which an error about it has too; null: not sent
   */
  sendText(content) {
    const options = { run_immediately: true, audio_response: true };
    const id = `text-${Date.now()}-${this.#texts++}`;
    return this.#send({ type: "send-text", id, data: { content, options } }) ? id : null;
  }

  /** A message of this page's own. */
  clientMessage(kind, content) {
    return this.#send({ type: "client-message", id: String(Date.now()), data: { t: kind, d: content } });
  }

  /** Says that a track carries something, or nothing: mute, camera off. */
  trackStatus(receiverIndex, enabled) {
    const message = { type: "trackStatus", receiver_index: receiverIndex, enabled };
    this.#raw(JSON.stringify({ type: "signalling", message }));
  }

  /** The last word before hanging up. */
  disconnectBot() {
    this.#send({ type: "disconnect-bot", id: String(Date.now()), data: {} });
  }

  #send(message) {
    return this.#raw(JSON.stringify({ label: "rtvi-ai", ...message }));
  }

  #raw(text) {
    if (this.#channel.readyState !== "open") return false;
    this.#channel.send(text);
    return true;
  }
}

/** @returns {{type: string, [key: string]: any}|null} null for what is no message, such as "pong" */
function parse(text) {
  if (typeof text !== "string" || !text.startsWith("{")) return null;
  try {
    const message = JSON.parse(text);
    return typeof message.type === "string" ? message : null;
  } catch {
    return null;
  }
}
