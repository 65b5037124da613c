import assert from "node:assert/strict";
import { test } from "node:test";
import { trackTemplate } from "../../../web/view/template_tracker.js";

const WIDTH = 160;
const HEIGHT = 90;
const REGION = { x: 60, y: 30, width: 30, height: 30 };

/** A wall with a pattern that does not repeat and a dark disc on it, shifted by (dx, dy). */
function frame({ dx = 0, dy = 0, brighter = 0, disc = true } = {}) {
  const grey = new Uint8Array(WIDTH * HEIGHT);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const [u, v] = [x - dx, y - dy];
      const wall = 130 + 30 * Math.sin(u * 0.31 + v * 0.17) + 25 * Math.sin(u * 0.11 - v * 0.23);
      const dark = disc && Math.hypot(u - 75, v - 45) < 12;
      grey[y * WIDTH + x] = (dark ? 40 : wall) + brighter;
    }
  }
  return { width: WIDTH, height: HEIGHT, grey };
}

const STILL = { dx: 0, dy: 0 };

test("an unmoved region is found in its place", () => {
  const { dx, dy, similarity } = trackTemplate(frame(), REGION, frame(), STILL);
  assert.deepEqual([dx, dy], [0, 0]);
  assert.ok(similarity > 0.99);
});

test("a moved region is found to the pixel, in other light too", () => {
  for (const [x, y] of [
    [7, -3],
    [-15, 4],
    [20, 11],
  ]) {
    const now = frame({ dx: x, dy: y, brighter: 30 });
    const { dx, dy, similarity } = trackTemplate(frame(), REGION, now, STILL);
    assert.deepEqual([dx, dy], [x, y]);
    assert.ok(similarity > 0.95);
  }
});

test("the search begins where the region was last found", () => {
  const far = frame({ dx: 40, dy: 0 });
  const { dx } = trackTemplate(frame(), REGION, far, { dx: 30, dy: 0 });
  assert.equal(dx, 40);
});

test("a region that is gone resembles nothing", () => {
  const other = frame();
  for (let i = 0; i < other.grey.length; i++) other.grey[i] = (i * 7919) % 251;
  assert.ok(trackTemplate(frame(), REGION, other, STILL).similarity < 0.55);
});

test("an even area stays in place while it stays even", () => {
  const even = (level) => ({
    width: WIDTH,
    height: HEIGHT,
    grey: new Uint8Array(WIDTH * HEIGHT).fill(level),
  });
  assert.deepEqual(trackTemplate(even(90), REGION, even(92), STILL), {
    dx: 0,
    dy: 0,
    similarity: 1,
  });
  assert.equal(trackTemplate(even(90), REGION, even(190), STILL).similarity, 0);
});
