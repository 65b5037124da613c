// Whether the agent sees the camera right now, shown where the person looks.

// Pictures go out about once a second, and unchanged ones may be skipped for a while.
const STALE_AFTER_MS = 12_000;

export class Looks {
  #stage;
  #chip;
  #words;
  #timer;

  /**
   * @param {HTMLElement} stage its corner brackets blink with every picture
   * @param {HTMLElement} chip
   */
  constructor(stage, chip) {
    this.#stage = stage;
    this.#chip = chip;
    this.#words = /** @type {HTMLElement} */ (chip.querySelector(".text"));
  }

  /** @param {{bytes: number, width: number, height: number, age_ms: number}} frame */
  saw({ bytes, width, height, age_ms: ageMs }) {
    this.#say("Agent sees this", true);
    this.#chip.title = `Last picture: ${width}×${height}, ${Math.round(bytes / 1_000)} KB, ${Math.round(ageMs)} ms old when sent`;
    this.#stage.classList.remove("looked");
    void this.#stage.offsetWidth; // restarts the animation
    this.#stage.classList.add("looked");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#say("Agent does not see this", false), STALE_AFTER_MS);
  }

  /** The camera is off, or there is no call. */
  stop() {
    clearTimeout(this.#timer);
    this.#stage.classList.remove("looked");
    this.#chip.hidden = true;
  }

  #say(words, seeing) {
    this.#chip.hidden = false;
    this.#chip.dataset.seeing = String(seeing);
    this.#words.textContent = words;
  }
}
