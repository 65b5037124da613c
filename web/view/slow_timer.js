// Tells when the agent or the connection takes longer than usual, so that the page can say so.

const SLOW_AFTER_MS = 4_000;

export class SlowTimer {
  isSlow = false;
  #onSlow;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #timer;

  /** @param {() => void} onSlow */
  constructor(onSlow) {
    this.#onSlow = onSlow;
  }

  /** @param {import("../call/states.js").CallState["name"]} name */
  stateChanged(name) {
    clearTimeout(this.#timer);
    this.isSlow = false;
    if (name !== "thinking" && name !== "connecting") return;
    this.#timer = setTimeout(() => {
      this.isSlow = true;
      this.#onSlow();
    }, SLOW_AFTER_MS);
  }
}
