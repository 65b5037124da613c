// Keeps the screen on during a call: a phone that locks its screen stops its camera.

/**
 * Holds at most one lock. Browsers drop the lock when the page is hidden, and may grant a request
 * after the call has ended. A refused request is ignored: the call works without a lock.
 */
export class ScreenWakeLock {
  #document;
  #wakeLock;
  #wanted = false;
  #requesting = false;
  /** @type {WakeLockSentinel|null} */
  #held = null;

  /**
   * @param {Document} page
   * @param {WakeLock|undefined} wakeLock `navigator.wakeLock`, where the browser has it
   */
  constructor(page, wakeLock) {
    this.#document = page;
    this.#wakeLock = wakeLock;
    page.addEventListener("visibilitychange", () => this.#request());
  }

  hold() {
    this.#wanted = true;
    this.#request();
  }

  release() {
    this.#wanted = false;
    this.#held?.release();
    this.#held = null;
  }

  async #request() {
    const visible = this.#document.visibilityState === "visible";
    if (!this.#wanted || !visible || this.#requesting || this.#held || !this.#wakeLock) return;
    this.#requesting = true;
    const lock = await this.#wakeLock.request("screen").catch(() => null);
    this.#requesting = false;
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
