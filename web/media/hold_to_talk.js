// Push to talk: the microphone is open while something is held.

// The last sound of a word is not sent yet when the finger leaves.
const TAIL_MS = 250;

export class HoldToTalk {
  #isOn;
  #onTalk;
  /** @type {Set<string>} what is held */
  #held = new Set();
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #tail;
  #talking = false;

  /**
   * @param {() => boolean} isOn whether what is pressed now opens the microphone
   * @param {(talking: boolean) => void} onTalk whether it is to be open
   */
  constructor(isOn, onTalk) {
    this.#isOn = isOn;
    this.#onTalk = onTalk;
  }

  /**
   * @param {string} what a key or a pointer
   * @returns {boolean} false: it has its usual meaning
   */
  press(what) {
    if (!this.#isOn()) return false;
    clearTimeout(this.#tail);
    this.#held.add(what);
    this.#become(true);
    return true;
  }

  /** @param {string} what */
  release(what) {
    if (!this.#held.delete(what) || this.#held.size) return;
    this.#tail = setTimeout(() => this.#become(false), TAIL_MS);
  }

  /** Stops at once, whatever is held: the page has lost the focus, or the call is over. */
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
