// What the agent points at: boxes over the caller's picture that move with what they mark.

import { element } from "./elements.js";
import { FrameHistory } from "./frame_history.js";
import { trackTemplate } from "./template_tracker.js";

const SCALE = 1_000; // of the model's coordinates
const MAX_POINTS = 8;
// From the camera to the server's clock: encoding and transport.
const LATENCY_MS = 200;
// Below this the box shows something else; after so many misses in a row it is removed.
const MIN_SIMILARITY = 0.55;
const MAX_MISSES = 3;
const FADE_MS = 400;
const LABEL_PX = 42;

/**
 * @typedef {import("./frame_history.js").TimedThumbnail} TimedThumbnail
 * @typedef {object} Point positions and sizes as shares of the picture, 0 to 1
 * @property {HTMLElement} box
 * @property {number} x
 * @property {number} y
 * @property {number} width
 * @property {number} height
 * @property {import("./template_tracker.js").Offset} moved in pixels of a thumbnail
 * @property {{x: number, y: number}} shift
 * @property {TimedThumbnail|undefined} from the frame the agent saw; undefined: none was kept
 * @property {number} misses
 * @property {number} timer
 */

export class Points {
  #overlay;
  #history;
  /** @type {Map<string, Point>} */
  #points = new Map();

  /**
   * @param {HTMLElement} overlay lies exactly over the picture
   * @param {HTMLVideoElement} video
   */
  constructor(overlay, video) {
    this.#overlay = overlay;
    this.#history = new FrameHistory(video, (frame) => this.#track(frame));
  }

  /** The camera is on. */
  watch() {
    this.#history.start();
  }

  /** The camera is off, or there is no call. */
  stop() {
    this.#history.stop();
    this.clear();
  }

  /**
   * @param {{id: string, label: string, box_2d: [number, number, number, number],
   *   age_ms: number, seconds: number}} point box_2d: [ymin, xmin, ymax, xmax], 0 to 1000, in the
   *   frame of age_ms ago; seconds: how long it is shown
   */
  show({ id, label, box_2d: [top, left, bottom, right], age_ms: ageMs, seconds }) {
    this.#remove(id);
    const [oldest] = this.#points.keys();
    if (this.#points.size >= MAX_POINTS) this.#remove(oldest);
    const box = element("div", "point");
    box.dataset.id = id;
    box.append(element("span", "point-label", label));
    /** @type {Point} */
    const point = {
      box,
      x: left / SCALE,
      y: top / SCALE,
      width: (right - left) / SCALE,
      height: (bottom - top) / SCALE,
      moved: { dx: 0, dy: 0 },
      shift: { x: 0, y: 0 },
      from: this.#history.at(performance.now() - ageMs - LATENCY_MS),
      misses: 0,
      timer: setTimeout(() => this.#remove(id, FADE_MS), seconds * 1_000),
    };
    this.#points.set(id, point);
    this.#lay(point);
    this.#overlay.append(box);
  }

  clear() {
    for (const id of [...this.#points.keys()]) this.#remove(id, FADE_MS);
  }

  /** @param {TimedThumbnail} frame the newest */
  #track(frame) {
    for (const [id, point] of this.#points) {
      const { from } = point;
      if (!from || from.height !== frame.height) continue;
      const region = {
        x: point.x * from.width,
        y: point.y * from.height,
        width: point.width * from.width,
        height: point.height * from.height,
      };
      const { dx, dy, similarity } = trackTemplate(from, region, frame, point.moved);
      if (similarity < MIN_SIMILARITY) {
        if (++point.misses >= MAX_MISSES) this.#remove(id, FADE_MS);
        continue;
      }
      point.misses = 0;
      point.moved = { dx, dy };
      point.shift = { x: dx / from.width, y: dy / from.height };
      this.#lay(point);
    }
  }

  /** @param {Point} point */
  #lay({ box, x, y, width, height, shift }) {
    const left = x + shift.x;
    const top = y + shift.y;
    box.style.left = percent(left);
    box.style.top = percent(top);
    box.style.width = percent(width);
    box.style.height = percent(height);
    // The label stays inside the picture: below a box at its top, to the left of one at its right.
    const room = LABEL_PX / (this.#overlay.clientHeight || 1);
    const outside = top < room ? "below" : "above";
    box.dataset.label = top < room && top + height > 1 - room ? "inside" : outside;
    box.dataset.side = left + width / 2 > 0.5 ? "right" : "left";
  }

  /**
   * @param {string} id
   * @param {number} fadeMs 0: at once
   */
  #remove(id, fadeMs = 0) {
    const point = this.#points.get(id);
    if (!point) return;
    clearTimeout(point.timer);
    this.#points.delete(id);
    if (fadeMs === 0) return point.box.remove();
    point.box.classList.add("point-gone");
    setTimeout(() => point.box.remove(), fadeMs);
  }
}

/** @param {number} share */
function percent(share) {
  return `${(share * 100).toFixed(2)}%`;
}
