// How long the call has been going on.

export class Clock {
  #element;
  #since = 0;
  #timer;

  /** @param {HTMLTimeElement} element */
  constructor(element) {
    this.#element = element;
  }

  start() {
    if (this.#timer) return; // a reconnection is the same call
    this.#since = performance.now();
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
    const seconds = Math.floor((performance.now() - this.#since) / 1_000);
    const part = (number) => String(number).padStart(2, "0");
    const hours = seconds >= 3_600 ? `${Math.floor(seconds / 3_600)}:` : "";
    this.#element.textContent = `${hours}${part(Math.floor(seconds / 60) % 60)}:${part(seconds % 60)}`;
  }
}
