// Push to talk: the microphone is open while something is held.

// The last sound of a word is still on its way when the finger leaves.
const TAIL_MS = 250;

export class HoldToTalk {
  #onTalk;
  /** @type {Set<string>} what is held */
  #held = new Set();
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #tail;
  #talking = false;

  /** @param {(talking: boolean) => void} onTalk whether the microphone is to be open */
  constructor(onTalk) {
    this.#onTalk = onTalk;
  }

  get talking() {
    return this.#talking;
  }

  /** @param {string} what a key or a pointer */
  press(what) {
    clearTimeout(this.#tail);
    this.#held.add(what);
    this.#become(true);
  }

  /** @param {string} what */
  release(what) {
    if (!this.#held.delete(what) || this.#held.size) return;
    this.#tail = setTimeout(() => this.#become(false), TAIL_MS);
  }

  /** At once, whatever is held: the page has lost the focus, or the call is over. */
  stop() {
    clearTimeout(this.#tail);
    this.#held.clear();
    this.#become(false);
  }

  /** @param {boolean} talking */
  #become(talking) {
    if (talking === this.#talking) return;
    this.#talking = talking;
    this.#onTalk(talking);
  }
}
