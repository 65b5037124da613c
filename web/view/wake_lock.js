// Keeps the screen on during a call: a phone that locks its screen in mid-call stops its camera.

/**
 * One lock at a time. Browsers drop it when the page is hidden, and a request may be granted after
 * the call. Where there is none to be had, nothing happens: that is no failure of the call.
 */
export class ScreenWakeLock {
  #document;
  #wakeLock;
  #wanted = false;
  #asking = false;
  /** @type {WakeLockSentinel|null} */
  #held = null;

  /**
   * @param {Document} page
   * @param {WakeLock|undefined} wakeLock `navigator.wakeLock`, where the browser has it
   */
  constructor(page, wakeLock) {
    this.#document = page;
    this.#wakeLock = wakeLock;
    page.addEventListener("visibilitychange", () => this.#take());
  }

  hold() {
    this.#wanted = true;
    this.#take();
  }

  release() {
    this.#wanted = false;
    this.#held?.release();
    this.#held = null;
  }

  async #take() {
    const visible = this.#document.visibilityState === "visible";
    if (!this.#wanted || !visible || this.#asking || this.#held || !this.#wakeLock) return;
    this.#asking = true;
    const lock = await this.#wakeLock.request("screen").catch(() => null);
    this.#asking = false;
    if (lock === null) return;
    if (!this.#wanted) {
      lock.release();
      return;
    }
    this.#held = lock;
    lock.addEventListener("release", () => {
      if (this.#held === lock) this.#held = null;
    });
  }
}
