// How long the call has lasted.

export class Clock {
  #element;
  #startedAtMs = 0;
  /** @type {number|undefined} */
  #timer;

  /** @param {HTMLTimeElement} element */
  constructor(element) {
    this.#element = element;
  }

  /** Starts; after a reconnection, continues. */
  start() {
    if (this.#timer) return;
    this.#startedAtMs = performance.now();
    this.#element.hidden = false;
    this.#show();
    this.#timer = setInterval(() => this.#show(), 1_000);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#element.hidden = true;
  }

  #show() {
    const seconds = Math.floor((performance.now() - this.#startedAtMs) / 1_000);
    const twoDigits = (/** @type {number} */ number) => String(number).padStart(2, "0");
    const hours = seconds >= 3_600 ? `${Math.floor(seconds / 3_600)}:` : "";
    const minutes = twoDigits(Math.floor(seconds / 60) % 60);
    this.#element.textContent = `${hours}${minutes}:${twoDigits(seconds % 60)}`;
  }
}
