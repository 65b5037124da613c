// The agent's voice: the <audio> element that plays it, and how loud it is right now.

export class Voice {
  #element;
  #onBlocked;
  #stream = new MediaStream();

  /**
   * @param {HTMLAudioElement} element
   * @param {(blocked: boolean) => void} onBlocked the browser wants another click before it plays
   */
  constructor(element, onBlocked) {
    this.#element = element;
    this.#onBlocked = onBlocked;
  }

  /** Call it from the click itself: Safari lets an element play later only if it was started so. */
  unlock() {
    this.#stream = new MediaStream();
    this.#element.srcObject = this.#stream;
    this.play();
  }

  /** @param {MediaStreamTrack} track replaces the one before, after a reconnection */
  use(track) {
    for (const old of this.#stream.getTracks()) this.#stream.removeTrack(old);
    this.#stream.addTrack(track);
    this.play();
  }

  play() {
    this.#element.play().then(
      () => this.#onBlocked(false),
      (error) => {
        // AbortError only says that a newer play() took over.
        if (error.name === "NotAllowedError") this.#onBlocked(true);
      },
    );
  }

  stop() {
    this.#element.srcObject = null;
    this.#onBlocked(false);
  }
}
