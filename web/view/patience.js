// How long a caller waits before the page says that it takes longer than usual.

const SLOW_AFTER_MS = 4_000;

export class Patience {
  isOver = false;
  #onOver;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #timer;

  /** @param {() => void} onOver */
  constructor(onOver) {
    this.#onOver = onOver;
  }

  /** @param {import("../call/states.js").CallState["name"]} name */
  stateChanged(name) {
    clearTimeout(this.#timer);
    this.isOver = false;
    if (name !== "thinking" && name !== "connecting") return;
    this.#timer = setTimeout(() => {
      this.isOver = true;
      this.#onOver();
    }, SLOW_AFTER_MS);
  }
}
