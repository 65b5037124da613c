// A short rising sound: the agent is back. For somebody who looks at what they show, not at the page.

import { audioContext } from "./audio_context.js";

// A connection that comes back at once was hardly missed.
const WORTH_TELLING_MS = 1_000;
const TONES_HZ = [660, 880];
const TONE_S = 0.11;
const LOUDNESS = 0.06;

export class BackCue {
  /** @type {number|null} */
  #awaySince = null;

  /** The connection is lost. */
  away() {
    this.#awaySince ??= performance.now();
  }

  /** The agent hears. */
  back() {
    const since = this.#awaySince;
    this.#awaySince = null;
    if (since !== null && performance.now() - since >= WORTH_TELLING_MS) this.#play();
  }

  /** The call is over: nobody comes back to it. */
  forget() {
    this.#awaySince = null;
  }

  #play() {
    const context = audioContext();
    TONES_HZ.forEach((hz, index) => {
      const begins = context.currentTime + index * TONE_S;
      const tone = new OscillatorNode(context, { frequency: hz });
      const gain = new GainNode(context, { gain: 0 });
      // Without the ramps it clicks.
      gain.gain.setValueAtTime(0, begins);
      gain.gain.linearRampToValueAtTime(LOUDNESS, begins + 0.02);
      gain.gain.linearRampToValueAtTime(0, begins + TONE_S);
      tone.connect(gain).connect(context.destination);
      tone.start(begins);
      tone.stop(begins + TONE_S);
    });
  }
}
