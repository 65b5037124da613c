// Decides what a connection's silence means. Pure: time is an argument.
//
// The server sends 50 audio packets a second, silence included. Chromium reports "disconnected" only
// after 8 s, when the server gives up as well.

const LOST_AFTER_MS = 4_000;
// After this silence the server is asked whether it still has the call. If its process was killed,
// the one that answers in its place has not. If it has, nothing happens.
const ASK_AFTER_MS = 600;
// An answer may be lost to whatever silenced the connection.
const ASK_AGAIN_MS = 1_000;

export class Silence {
  #packets = 0;
  #sinceMs;
  #askAtMs;

  /** @param {number} nowMs when the connection was made */
  constructor(nowMs) {
    this.#sinceMs = nowMs;
    this.#askAtMs = nowMs + ASK_AFTER_MS;
  }

  /**
   * @param {number} nowMs
   * @param {number} packets how many have arrived over the connection
   * @returns {"ask"|"lost"|null} what to do: ask the server for the call, or give the connection up
   */
  judge(nowMs, packets) {
    if (packets > this.#packets) {
      this.#packets = packets;
      this.#sinceMs = nowMs;
      this.#askAtMs = nowMs + ASK_AFTER_MS;
    }
    if (nowMs - this.#sinceMs >= LOST_AFTER_MS) return "lost";
    if (nowMs < this.#askAtMs) return null;
    this.#askAtMs = nowMs + ASK_AGAIN_MS;
    return "ask";
  }
}
