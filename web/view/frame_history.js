// The camera's last seconds as small grey thumbnails. An agent that points at something gives its
// position in a frame that is seconds old by then; the thumbnail of that time shows what was there.

const INTERVAL_MS = 250;
const KEPT_MS = 13_000; // the server may leave out unchanged frames for 10 s
const WIDTH_PX = 160;

/** @typedef {import("./template_tracker.js").Thumbnail & {atMs: number}} TimedThumbnail */

export class FrameHistory {
  #video;
  #onFrame;
  /** @type {number|undefined} */
  #timer;
  /** @type {TimedThumbnail[]} */
  #frames = [];
  #canvas = document.createElement("canvas");
  #context = /** @type {CanvasRenderingContext2D} */ (
    this.#canvas.getContext("2d", { willReadFrequently: true })
  );

  /**
   * @param {HTMLVideoElement} video
   * @param {(frame: TimedThumbnail) => void} onFrame
   */
  constructor(video, onFrame) {
    this.#video = video;
    this.#onFrame = onFrame;
  }

  start() {
    this.#timer ??= setInterval(() => this.#capture(), INTERVAL_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#frames = [];
  }

  /**
   * @param {number} ms a time of `performance.now()`
   * @returns {TimedThumbnail|undefined} the closest one; undefined if none is kept
   */
  at(ms) {
    const distance = (/** @type {TimedThumbnail} */ frame) => Math.abs(frame.atMs - ms);
    let [best] = this.#frames;
    for (const frame of this.#frames) if (distance(frame) < distance(best)) best = frame;
    return best;
  }

  #capture() {
    const { videoWidth, videoHeight } = this.#video;
    if (!videoWidth) return;
    const height = Math.max(1, Math.round((WIDTH_PX * videoHeight) / videoWidth));
    if (this.#canvas.width !== WIDTH_PX || this.#canvas.height !== height) {
      this.#canvas.width = WIDTH_PX;
      this.#canvas.height = height;
      this.#frames = []; // thumbnails of another size can't be compared
    }
    this.#context.drawImage(this.#video, 0, 0, WIDTH_PX, height);
    const { data } = this.#context.getImageData(0, 0, WIDTH_PX, height);
    const grey = new Uint8Array(WIDTH_PX * height);
    for (let i = 0, at = 0; i < grey.length; i++, at += 4) {
      grey[i] = (data[at] * 77 + data[at + 1] * 150 + data[at + 2] * 29) >> 8; // BT.601 luma
    }
    const frame = { width: WIDTH_PX, height, grey, atMs: performance.now() };
    this.#frames.push(frame);
    while (frame.atMs - this.#frames[0].atMs > KEPT_MS) this.#frames.shift();
    this.#onFrame(frame);
  }
}
