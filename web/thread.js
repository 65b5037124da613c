// The conversation that this tab can continue: in another call, after a reload, on another server.

const KEY = "vision-agent.thread";

/**
 * @typedef {object} Kept
 * @property {string} token the server's secret for it
 * @property {number} withinS how long after its call it can be continued
 * @property {number|null} leftAtMs when the call ended; null: nobody could say, the server knows
 * @property {boolean} hungUp by the person, who may rather want to begin anew next time
 */

export class Thread {
  #storage;
  /** @type {Kept|null} */
  #kept;

  /** @param {Storage} storage the tab's own: another tab is another caller */
  constructor(storage) {
    this.#storage = storage;
    this.#kept = this.#read();
  }

  /** @param {number} nowMs @returns {string|null} null: there is nothing to continue */
  token(nowMs) {
    if (this.#kept === null) return null;
    const { token, withinS, leftAtMs } = this.#kept;
    return leftAtMs === null || nowMs < leftAtMs + withinS * 1_000 ? token : null;
  }

  /** Whether the person ended the last call themselves. */
  get hungUp() {
    return this.#kept?.hungUp ?? false;
  }

  /** A call has begun. @param {{resume?: string, resume_within_s?: number}} answer */
  begin({ resume, resume_within_s: withinS }) {
    this.#write(resume ? { token: resume, withinS, leftAtMs: null, hungUp: false } : null);
  }

  /** The call is over. */
  leave(nowMs, { hungUp }) {
    if (this.#kept) this.#write({ ...this.#kept, leftAtMs: nowMs, hungUp });
  }

  #read() {
    try {
      const kept = JSON.parse(this.#storage.getItem(KEY) ?? "null");
      return typeof kept?.token === "string" ? kept : null;
    } catch {
      return null; // somebody else's, or storage is forbidden here
    }
  }

  #write(kept) {
    this.#kept = kept;
    try {
      if (kept) this.#storage.setItem(KEY, JSON.stringify(kept));
      else this.#storage.removeItem(KEY);
    } catch (error) {
      console.warn(error); // it can still be continued, until the page is left
    }
  }
}

/** The tab's storage, or one that forgets, where the browser allows none. */
export function tabStorage() {
  try {
    return window.sessionStorage;
  } catch {
    return { getItem: () => null, setItem() {}, removeItem() {} };
  }
}
