// The token with which this tab resumes a conversation: in the next call, after a reload, on
// another server.

const KEY = "vision-agent.thread";

/**
 * @typedef {object} Stored
 * @property {string} token the server's secret for the conversation
 * @property {string|null} agent the server's id of the agent; null: the server names none
 * @property {number} withinS how long after the end of its call a conversation can be resumed
 * @property {number|null} leftAtMs when the call ended, in Unix time; null: unknown to the page,
 *   the server decides
 * @property {boolean} hungUp the caller ended the call, and may prefer a new conversation next time
 */

/** @typedef {Pick<Storage, "getItem"|"setItem"|"removeItem">} TabStorage */

export class ResumeToken {
  #storage;
  #key;
  /** @type {Stored|null} */
  #stored;

  /**
   * @param {TabStorage} storage of this tab: another tab is another caller
   * @param {string} path of the page: another path of the same origin may be another server
   */
  constructor(storage, path = "/") {
    this.#storage = storage;
    this.#key = path === "/" ? KEY : `${KEY} ${path}`;
    this.#stored = this.#read();
  }

  /**
   * @param {number} nowMs Unix time
   * @param {string|null} agent the agent to call; the token resumes only its own conversation
   * @returns {string|null} null: there is nothing to resume
   */
  valid(nowMs, agent) {
    if (this.#stored === null || this.#stored.agent !== agent) return null;
    const { token, withinS, leftAtMs } = this.#stored;
    return leftAtMs === null || nowMs < leftAtMs + withinS * 1_000 ? token : null;
  }

  /** The agent of the last conversation, even if that can no longer be resumed. */
  get agent() {
    return this.#stored?.agent ?? null;
  }

  /** Whether the caller ended the last call. */
  get hungUp() {
    return this.#stored?.hungUp ?? false;
  }

  /**
   * A call has begun.
   * @param {{resume?: string, resume_within_s?: number}} answer the server's
   * @param {string|null} agent who was called
   */
  callStarted({ resume, resume_within_s: withinS = 0 }, agent) {
    this.#write(resume ? { token: resume, agent, withinS, leftAtMs: null, hungUp: false } : null);
  }

  /** @param {number} nowMs Unix time @param {{hungUp: boolean}} how */
  callEnded(nowMs, { hungUp }) {
    if (this.#stored) this.#write({ ...this.#stored, leftAtMs: nowMs, hungUp });
  }

  #read() {
    try {
      const stored = JSON.parse(this.#storage.getItem(this.#key) ?? "null");
      return typeof stored?.token === "string" ? stored : null;
    } catch {
      return null; // not JSON, so written by another program; or storage is forbidden
    }
  }

  /** @param {Stored|null} stored */
  #write(stored) {
    this.#stored = stored;
    try {
      if (stored) this.#storage.setItem(this.#key, JSON.stringify(stored));
      else this.#storage.removeItem(this.#key);
    } catch (error) {
      console.warn(error); // the token lasts until the page is left
    }
  }
}

/**
 * @returns {TabStorage} the tab's; where the browser forbids storage, one that keeps nothing
 */
export function tabStorage() {
  try {
    return window.sessionStorage;
  } catch {
    return { getItem: () => null, setItem() {}, removeItem() {} };
  }
}
