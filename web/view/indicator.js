// The lens that stands for the agent: it opens with its voice, and its rim moves with yours.

const RISE = 0.55; // of the way to a louder level, per picture
const FALL = 0.16; // and to a quieter one: a voice that stops fades instead of flickering

export class Indicator {
  #element;
  /** @type {Record<"agent"|"caller", import("../media/level.js").Level|null>} */
  #sources = { agent: null, caller: null };
  #shown = { agent: 0, caller: 0 };
  #frame = 0;

  /** @param {HTMLElement} element gets --agent and --caller, 0 to 1; CSS draws them */
  constructor(element) {
    this.#element = element;
  }

  /**
   * @param {"agent"|"caller"} who
   * @param {import("../media/level.js").Level|null} level
   */
  use(who, level) {
    this.#sources[who]?.close();
    this.#sources[who] = level;
    const any = this.#sources.agent || this.#sources.caller;
    if (any && this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    let moving = false;
    for (const who of ["agent", "caller"]) {
      const target = this.#sources[who]?.read() ?? 0;
      const shown = this.#shown[who];
      const next = shown + (target - shown) * (target > shown ? RISE : FALL);
      this.#shown[who] = next < 0.002 ? 0 : next;
      if (this.#shown[who] !== shown) {
        this.#element.style.setProperty(`--${who}`, this.#shown[who].toFixed(3));
      }
      moving ||= this.#sources[who] !== null || this.#shown[who] > 0;
    }
    this.#frame = moving ? requestAnimationFrame(() => this.#draw()) : 0;
  }
}
