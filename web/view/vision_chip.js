// The chip over a picture that says whether the agent sees the camera or the screen.

// Frames go out about once a second; unchanged ones may be left out for ten.
const STALE_AFTER_MS = 12_000;

export class VisionChip {
  #stage;
  #chip;
  #text;
  #staleAfterMs;
  /** @type {number|undefined} */
  #timer;

  /**
   * @param {HTMLElement} stage its corner brackets blink with every frame
   * @param {HTMLElement} chip
   * @param {number} staleAfterMs for how long unchanged frames may be left out
   */
  constructor(stage, chip, staleAfterMs = STALE_AFTER_MS) {
    this.#staleAfterMs = staleAfterMs;
    this.#stage = stage;
    this.#chip = chip;
    this.#text = /** @type {HTMLElement} */ (chip.querySelector(".text"));
  }

  /**
   * The model was sent a frame.
   * @param {{bytes: number, width: number, height: number, age_ms: number}} frame
   */
  frameSent({ bytes, width, height, age_ms: ageMs }) {
    this.#show("Agent sees this", true);
    this.#chip.title = `Last picture: ${width}×${height}, ${Math.round(bytes / 1_000)} KB, ${Math.round(ageMs)} ms old when sent`;
    this.#stage.classList.remove("looked");
    void this.#stage.offsetWidth; // restarts the animation
    this.#stage.classList.add("looked");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#show("Agent does not see this", false),
      this.#staleAfterMs,
    );
  }

  /** The camera is off, or there is no call. */
  hide() {
    clearTimeout(this.#timer);
    this.#stage.classList.remove("looked");
    this.#chip.hidden = true;
  }

  /**
   * @param {string} text
   * @param {boolean} seeing
   */
  #show(text, seeing) {
    this.#chip.hidden = false;
    this.#chip.dataset.seeing = String(seeing);
    this.#text.textContent = text;
  }
}
