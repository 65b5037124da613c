// The lens that stands for the agent: it opens with the agent's voice, and its rim moves with the
// caller's.

// How much of the way to a new level is covered per animation frame. A voice that stops fades
// instead of flickering.
const RISE = 0.55;
const FALL = 0.16;

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
  #animation = 0;

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
    if (any && this.#animation === 0) this.#animation = requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    let moving = false;
    for (const who of SPEAKERS) {
      const target = this.#meters[who]?.read() ?? 0;
      const shown = this.#shown[who];
      const next = shown + (target - shown) * (target > shown ? RISE : FALL);
      this.#shown[who] = next < 0.002 ? 0 : next;
      if (this.#shown[who] !== shown) {
        this.#element.style.setProperty(`--${who}`, this.#shown[who].toFixed(3));
      }
      moving ||= this.#meters[who] !== null || this.#shown[who] > 0;
    }
    this.#animation = moving ? requestAnimationFrame(() => this.#draw()) : 0;
  }
}
