// The lens that stands for the agent: it opens with the agent's voice, and its rim moves with the
// caller's.

// Levels are drawn 25 times a second: drawing them 60 times takes a sixth more CPU time on a page in
// a call. With reduced motion, they are drawn four times a second.
const STEP_MS = 40;
const CALM_STEP_MS = 250;

// How much of the way to a new level is covered per step. A voice that stops fades instead of
// flickering.
const RISE = 0.85;
const FALL = 0.34;

/**
 * @typedef {"agent"|"caller"} Speaker
 * @typedef {import("../media/audio.js").LevelMeter} LevelMeter
 */

/** @type {Speaker[]} */
const SPEAKERS = ["agent", "caller"];

export class Indicator {
  #element;
  /** @type {Record<Speaker, LevelMeter|null>} */
  #meters = { agent: null, caller: null };
  #shown = { agent: 0, caller: 0 };
  /** @type {number|undefined} */
  #timer;

  /** @param {HTMLElement} element gets --agent and --caller, 0 to 1; CSS draws them */
  constructor(element) {
    this.#element = element;
  }

  /**
   * @param {Speaker} who
   * @param {LevelMeter|null} meter is closed when another one replaces it
   */
  use(who, meter) {
    this.#meters[who]?.close();
    this.#meters[who] = meter;
    const any = this.#meters.agent || this.#meters.caller;
    const { matches: calm } = matchMedia("(prefers-reduced-motion: reduce)");
    if (any) this.#timer ??= setInterval(() => this.#draw(), calm ? CALM_STEP_MS : STEP_MS);
  }

  #draw() {
    let moving = false;
    for (const who of SPEAKERS) {
      const target = this.#meters[who]?.read() ?? 0;
      const shown = this.#shown[who];
      const next = shown + (target - shown) * (target > shown ? RISE : FALL);
      this.#shown[who] = next < 0.005 ? 0 : next;
      const [before, now] = [shown, this.#shown[who]].map((level) => level.toFixed(2));
      if (now !== before) this.#element.style.setProperty(`--${who}`, now);
      moving ||= this.#meters[who] !== null || this.#shown[who] > 0;
    }
    if (moving) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
