// What the agent points at: boxes on the person's own picture that stay with their things.

import { follow } from "./follow.js";
import { Moments } from "./moments.js";

const SCALE = 1_000; // the model's coordinates
const MOST = 8;
// From the camera to the server's clock: encoding and the way there.
const UNDER_WAY_MS = 200;
// Below this it is something else that is there now; so often in a row, and the box goes.
const LIKE = 0.55;
const LOST_AFTER = 3;
const FADE_MS = 400;
const LABEL_PX = 42;

export class Points {
  #place;
  #moments;
  #points = new Map();

  /**
   * @param {HTMLElement} place lies exactly over the picture
   * @param {HTMLVideoElement} video
   */
  constructor(place, video) {
    this.#place = place;
    this.#moments = new Moments(video, (now) => this.#followAll(now));
  }

  /** The camera is on. */
  watch() {
    this.#moments.start();
  }

  /** The camera is off, or there is no call. */
  stop() {
    this.#moments.stop();
    this.clear();
  }

  /**
   * @param {{id: string, label: string, box_2d: [number, number, number, number],
   *   age_ms: number, seconds: number}} what box_2d is [ymin, xmin, ymax, xmax] from 0 to 1000, in
   *   the picture of age_ms ago
   */
  show({ id, label, box_2d: [top, left, bottom, right], age_ms: ageMs, seconds }) {
    this.#remove(id);
    while (this.#points.size >= MOST) this.#remove(this.#points.keys().next().value);
    const box = document.createElement("div");
    box.className = "point";
    box.dataset.id = id;
    const name = document.createElement("span");
    name.className = "point-label";
    name.textContent = label;
    box.append(name);
    const point = {
      box,
      x: left / SCALE,
      y: top / SCALE,
      width: (right - left) / SCALE,
      height: (bottom - top) / SCALE,
      moved: { dx: 0, dy: 0 },
      shift: { x: 0, y: 0 },
      from: this.#moments.at(performance.now() - ageMs - UNDER_WAY_MS),
      misses: 0,
      timer: setTimeout(() => this.#fade(id), seconds * 1_000),
    };
    this.#points.set(id, point);
    this.#lay(point);
    this.#place.append(box);
  }

  clear() {
    for (const id of [...this.#points.keys()]) this.#fade(id);
  }

  #followAll(now) {
    for (const [id, point] of this.#points) {
      const { from } = point;
      if (!from || from.height !== now.height) continue;
      const part = {
        x: point.x * from.width,
        y: point.y * from.height,
        width: point.width * from.width,
        height: point.height * from.height,
      };
      const { dx, dy, likeness } = follow(from, part, now, point.moved);
      if (likeness < LIKE) {
        if (++point.misses >= LOST_AFTER) this.#fade(id);
        continue;
      }
      point.misses = 0;
      point.moved = { dx, dy };
      point.shift = { x: dx / from.width, y: dy / from.height };
      this.#lay(point);
    }
  }

  #lay({ box, x, y, width, height, shift }) {
    const left = x + shift.x;
    const top = y + shift.y;
    box.style.left = percent(left);
    box.style.top = percent(top);
    box.style.width = percent(width);
    box.style.height = percent(height);
    // The label stays inside the picture: below a box at its top, to the left of one at its right.
    const room = LABEL_PX / (this.#place.clientHeight || 1);
    const outside = top < room ? "below" : "above";
    box.dataset.label = top < room && top + height > 1 - room ? "inside" : outside;
    box.dataset.side = left + width / 2 > 0.5 ? "right" : "left";
  }

  #fade(id) {
    const point = this.#points.get(id);
    if (!point) return;
    clearTimeout(point.timer);
    this.#points.delete(id);
    point.box.classList.add("point-gone");
    setTimeout(() => point.box.remove(), FADE_MS);
  }

  #remove(id) {
    const point = this.#points.get(id);
    if (!point) return;
    clearTimeout(point.timer);
    this.#points.delete(id);
    point.box.remove();
  }
}

function percent(share) {
  return `${(share * 100).toFixed(2)}%`;
}
