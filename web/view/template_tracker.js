// Finds a region of one small grey frame in another: normalised cross-correlation. Pure.

const SAMPLES = 400; // at most, of the template: enough to identify it, few enough for speed
const REACH_PX = 22; // how far it may have moved since it was last found, each way
const FLAT = 3; // grey levels; a region more even than this looks the same everywhere

/**
 * @typedef {{width: number, height: number, grey: Uint8Array}} Thumbnail
 * @typedef {{x: number, y: number, width: number, height: number}} Region in pixels
 * @typedef {{dx: number, dy: number}} Offset in pixels
 * @typedef {object} Template the sampled pixels of a region
 * @property {number[]} xs
 * @property {number[]} ys
 * @property {number[]} values
 * @property {number} mean
 * @property {number} deviation standard deviation of the values, in grey levels
 */

/**
 * @param {Thumbnail} from
 * @param {Region} region of `from`
 * @param {Thumbnail} to of the same size
 * @param {Offset} guess how far the region had moved when it was last found
 * @returns {Offset & {similarity: number}} how far it has moved; similarity from -1 to 1
 */
export function trackTemplate(from, region, to, guess) {
  const template = sample(from, region);
  if (template.deviation < FLAT) {
    const difference = meanDifference(template, to);
    return { dx: 0, dy: 0, similarity: difference < 6 * FLAT ? 1 : 0 };
  }
  let best = { dx: guess.dx, dy: guess.dy, similarity: -1 };
  const look = (/** @type {number} */ dx, /** @type {number} */ dy) => {
    const similarity = correlation(template, to, dx, dy);
    if (similarity > best.similarity) best = { dx, dy, similarity };
  };
  for (let y = -REACH_PX; y <= REACH_PX; y += 2) {
    for (let x = -REACH_PX; x <= REACH_PX; x += 2) look(guess.dx + x, guess.dy + y);
  }
  const { dx, dy } = best;
  for (let y = -1; y <= 1; y++) for (let x = -1; x <= 1; x++) look(dx + x, dy + y);
  return best;
}

/**
 * @param {Thumbnail} frame
 * @param {Region} region
 * @returns {Template}
 */
function sample({ width, height, grey }, region) {
  const left = Math.max(0, Math.floor(region.x));
  const top = Math.max(0, Math.floor(region.y));
  const right = Math.min(width, Math.ceil(region.x + region.width));
  const bottom = Math.min(height, Math.ceil(region.y + region.height));
  const step = Math.max(1, Math.ceil(Math.sqrt(((right - left) * (bottom - top)) / SAMPLES)));
  const xs = [];
  const ys = [];
  const values = [];
  for (let y = top; y < bottom; y += step) {
    for (let x = left; x < right; x += step) {
      xs.push(x);
      ys.push(y);
      values.push(grey[y * width + x]);
    }
  }
  const count = Math.max(1, values.length);
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const spread = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { xs, ys, values, mean, deviation: Math.sqrt(spread / count) };
}

/**
 * Normalised, so that the camera's exposure does not matter.
 * @param {Template} template
 * @param {Thumbnail} frame
 * @param {number} dx
 * @param {number} dy
 * @returns {number} from -1 to 1; -1 also where the frame shows too little to compare
 */
function correlation({ xs, ys, values, mean }, { width, height, grey }, dx, dy) {
  let count = 0;
  let sum = 0;
  let squares = 0;
  let products = 0;
  let own = 0;
  for (let i = 0; i < values.length; i++) {
    const x = xs[i] + dx;
    const y = ys[i] + dy;
    if (x < 0 || y < 0 || x >= width || y >= height) continue;
    const value = grey[y * width + x];
    const deviation = values[i] - mean;
    count++;
    sum += value;
    squares += value * value;
    products += deviation * value;
    own += deviation * deviation;
  }
  // With less than half of it inside the frame, the rest says little.
  if (count < values.length / 2) return -1;
  const spread = squares - (sum * sum) / count;
  if (spread < count * FLAT * FLAT || own === 0) return -1;
  return products / Math.sqrt(spread * own);
}

/**
 * @param {Template} template
 * @param {Thumbnail} frame
 * @returns {number} in grey levels
 */
function meanDifference({ xs, ys, values }, { width, grey }) {
  const sum = values.reduce(
    (sum, value, i) => sum + Math.abs(grey[ys[i] * width + xs[i]] - value),
    0,
  );
  return sum / Math.max(1, values.length);
}
