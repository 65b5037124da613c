// Where a part of one small grey picture is in another. Pure.

const SAMPLES = 400; // of the part, at most: enough to tell it, few enough to look everywhere
const REACH = 22; // pixels that it may have moved since it was last seen, each way
const FLAT = 3; // grey levels: an even area looks the same wherever it is

/** @typedef {{width: number, height: number, grey: Uint8Array}} Thumbnail */
/** @typedef {{x: number, y: number, width: number, height: number}} Part in pixels */

/**
 * @param {Thumbnail} from
 * @param {Part} part of `from`
 * @param {Thumbnail} to of the same size
 * @param {{dx: number, dy: number}} guess how far it had moved when it was last seen
 * @returns {{dx: number, dy: number, likeness: number}} how far it has moved; likeness from -1 to 1
 */
export function follow(from, part, to, guess) {
  const samples = samplesOf(from, part);
  if (samples.deviation < FLAT) {
    const off = meanDifference(samples, to, 0, 0);
    return { dx: 0, dy: 0, likeness: off < 6 * FLAT ? 1 : 0 };
  }
  let best = { dx: guess.dx, dy: guess.dy, likeness: -1 };
  const look = (dx, dy) => {
    const likeness = correlation(samples, to, dx, dy);
    if (likeness > best.likeness) best = { dx, dy, likeness };
  };
  for (let y = -REACH; y <= REACH; y += 2) {
    for (let x = -REACH; x <= REACH; x += 2) look(guess.dx + x, guess.dy + y);
  }
  const { dx, dy } = best;
  for (let y = -1; y <= 1; y++) for (let x = -1; x <= 1; x++) look(dx + x, dy + y);
  return best;
}

function samplesOf({ width, height, grey }, part) {
  const left = Math.max(0, Math.floor(part.x));
  const top = Math.max(0, Math.floor(part.y));
  const right = Math.min(width, Math.ceil(part.x + part.width));
  const bottom = Math.min(height, Math.ceil(part.y + part.height));
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
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const spread = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { xs, ys, values, mean, spread, deviation: Math.sqrt(spread / Math.max(1, values.length)) };
}

/** Normalised, so that the camera's exposure does not matter. */
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
  // Mostly out of the picture: whatever is left of it says little.
  if (count < values.length / 2) return -1;
  const spread = squares - (sum * sum) / count;
  if (spread < count * FLAT * FLAT || own === 0) return -1;
  return products / Math.sqrt(spread * own);
}

function meanDifference({ xs, ys, values }, { width, height, grey }, dx, dy) {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const x = Math.min(width - 1, Math.max(0, xs[i] + dx));
    const y = Math.min(height - 1, Math.max(0, ys[i] + dy));
    sum += Math.abs(grey[y * width + x] - values[i]);
  }
  return sum / Math.max(1, values.length);
}
