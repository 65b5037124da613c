// What the camera showed in the last seconds, small and grey: what an agent points at, it points at
// in a picture that is some moments old.

const EVERY_MS = 250;
const KEPT_MS = 13_000; // unchanged pictures may be left out for 10 s
const WIDTH = 160;

/** @typedef {import("./follow.js").Thumbnail & {atMs: number}} Moment */

export class Moments {
  #video;
  #onMoment;
  #timer;
  /** @type {Moment[]} */
  #moments = [];
  #canvas = document.createElement("canvas");
  #context = /** @type {CanvasRenderingContext2D} */ (
    this.#canvas.getContext("2d", { willReadFrequently: true })
  );

  /**
   * @param {HTMLVideoElement} video
   * @param {(now: Moment) => void} onMoment
   */
  constructor(video, onMoment) {
    this.#video = video;
    this.#onMoment = onMoment;
  }

  start() {
    this.#timer ??= setInterval(() => this.#take(), EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#moments = [];
  }

  /** @returns {Moment|undefined} the one closest to a time of `performance.now()` */
  at(ms) {
    const distance = (moment) => Math.abs(moment.atMs - ms);
    let [best] = this.#moments;
    for (const moment of this.#moments) if (distance(moment) < distance(best)) best = moment;
    return best;
  }

  #take() {
    const { videoWidth, videoHeight } = this.#video;
    if (!videoWidth) return;
    const height = Math.max(1, Math.round((WIDTH * videoHeight) / videoWidth));
    if (this.#canvas.width !== WIDTH || this.#canvas.height !== height) {
      this.#canvas.width = WIDTH;
      this.#canvas.height = height;
      this.#moments = []; // another size can't be compared
    }
    this.#context.drawImage(this.#video, 0, 0, WIDTH, height);
    const { data } = this.#context.getImageData(0, 0, WIDTH, height);
    const grey = new Uint8Array(WIDTH * height);
    for (let i = 0, at = 0; i < grey.length; i++, at += 4) {
      grey[i] = (data[at] * 77 + data[at + 1] * 150 + data[at + 2] * 29) >> 8;
    }
    const moment = { width: WIDTH, height, grey, atMs: performance.now() };
    this.#moments.push(moment);
    while (moment.atMs - this.#moments[0].atMs > KEPT_MS) this.#moments.shift();
    this.#onMoment(moment);
  }
}
