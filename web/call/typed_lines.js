/** Lines typed so shortly before a connection was lost that they may be lost as well. */

const UNSURE_MS = 10_000;
// Longer lines are not searched in a conversation, which shows only the beginning of each.
const MAX_CHARS = 1_000;

/** @typedef {{id: string, text: string, atMs: number}} TypedLine */

/** Keeps the newest typed lines, and how often each one was typed in the conversation. */
export class TypedLines {
  /** @type {TypedLine[]} */
  #lately = [];
  /** @type {Map<string, number>} */
  #times = new Map();
  /** @type {Set<TypedLine>} */
  #answered = new Set();
  #lostAtMs = 0; // when the loss of the last connection was noticed

  /** @param {TypedLine} line it was sent */
  sent(line) {
    this.#lately = [...this.#before(line.atMs), line];
    const text = line.text.trim();
    this.#times.set(text, (this.#times.get(text) ?? 0) + 1);
  }

  /** @param {number} atMs when the loss of the connection was noticed */
  lost(atMs) {
    this.#lostAtMs = atMs;
  }

  unsure() {
    return this.#before(this.#lostAtMs);
  }

  /** An answer begins: every line sent before has arrived. */
  answered() {
    this.#answered = new Set(this.#lately);
  }

  /** The lines that have presumably not arrived, if the conversation itself is gone. */
  unanswered() {
    return this.unsure().filter((line) => !this.#answered.has(line));
  }

  /**
   * The lines that have not arrived: the conversation that a new call continues lacks them.
   * @param {{who: string, text: string}[]} earlier the conversation's lines; what stands before typed
   *   words in one of the caller's says what they were shown with
   */
  missing(earlier) {
    const said = earlier.filter(({ who }) => who === "user").map(({ text }) => text);
    const lately = this.unsure();
    /** @type {Set<TypedLine>} */
    const missing = new Set();
    for (const text of new Set(lately.map((line) => line.text.trim()))) {
      const there = said.filter((line) => line.endsWith(text)).length;
      const lacking =
        text.length > MAX_CHARS ? 0 : Math.max(0, (this.#times.get(text) ?? 0) - there);
      const newest = lacking
        ? lately.filter((line) => line.text.trim() === text).slice(-lacking)
        : [];
      this.#times.set(text, there + newest.length);
      for (const line of newest) missing.add(line);
    }
    return lately.filter((line) => missing.has(line));
  }

  /** @param {number} thenMs */
  #before(thenMs) {
    return this.#lately.filter(({ atMs }) => thenMs - atMs < UNSURE_MS);
  }
}
