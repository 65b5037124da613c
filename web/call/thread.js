// The conversation that this tab can continue: in another call, after a reload, on another server.

const KEY = "vision-agent.thread";

/**
 * @typedef {object} Kept
 * @property {string} token the server's secret for it
 * @property {string|null} agent the server's id of the agent it was with; null: it names none
 * @property {number} withinS how long after its call it can be continued
 * @property {number|null} leftAtMs when the call ended; null: nobody could say, the server knows
 * @property {boolean} hungUp by the person, who may rather want to begin anew next time
 */

export class Thread {
  #storage;
  #key;
  /** @type {Kept|null} */
  #kept;

  /**
   * @param {Pick<Storage, "getItem"|"setItem"|"removeItem">} storage the tab's own: another tab is
   *   another caller
   * @param {string} path of the page: another one of the same origin may be another server's
   */
  constructor(storage, path = "/") {
    this.#storage = storage;
    this.#key = path === "/" ? KEY : `${KEY} ${path}`;
    this.#kept = this.#read();
  }

  /**
   * @param {number} nowMs
   * @param {string|null} agent a conversation with another one can't be continued with it
   * @returns {string|null} null: there is nothing to continue
   */
  token(nowMs, agent) {
    if (this.#kept === null || this.#kept.agent !== agent) return null;
    const { token, withinS, leftAtMs } = this.#kept;
    return leftAtMs === null || nowMs < leftAtMs + withinS * 1_000 ? token : null;
  }

  /** The agent of the last conversation, whether or not it can still be continued. */
  get agent() {
    return this.#kept?.agent ?? null;
  }

  /** Whether the person ended the last call themselves. */
  get hungUp() {
    return this.#kept?.hungUp ?? false;
  }

  /**
   * A call has begun.
   * @param {{resume?: string, resume_within_s?: number}} answer
   * @param {string|null} agent who was called
   */
  begin({ resume, resume_within_s: withinS = 0 }, agent) {
    this.#write(resume ? { token: resume, agent, withinS, leftAtMs: null, hungUp: false } : null);
  }

  /** The call is over. @param {number} nowMs @param {{hungUp: boolean}} how */
  leave(nowMs, { hungUp }) {
    if (this.#kept) this.#write({ ...this.#kept, leftAtMs: nowMs, hungUp });
  }

  #read() {
    try {
      const kept = JSON.parse(this.#storage.getItem(this.#key) ?? "null");
      return typeof kept?.token === "string" ? kept : null;
    } catch {
      return null; // somebody else's, or storage is forbidden here
    }
  }

  /** @param {Kept|null} kept */
  #write(kept) {
    this.#kept = kept;
    try {
      if (kept) this.#storage.setItem(this.#key, JSON.stringify(kept));
      else this.#storage.removeItem(this.#key);
    } catch (error) {
      console.warn(error); // it can still be continued, until the page is left
    }
  }
}

/**
 * The tab's storage, or one that forgets, where the browser allows none.
 * @returns {Pick<Storage, "getItem"|"setItem"|"removeItem">}
 */
export function tabStorage() {
  try {
    return window.sessionStorage;
  } catch {
    return { getItem: () => null, setItem() {}, removeItem() {} };
  }
}
