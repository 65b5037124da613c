// How loud a track is, for the eye.

import { audioContext } from "./audio_context.js";

const FLOOR_DB = -55;
const CEILING_DB = -12;

export class Level {
  #source;
  #analyser;
  #samples;

  /** @param {MediaStreamTrack} track */
  constructor(track) {
    const context = audioContext();
    this.#analyser = context.createAnalyser();
    this.#analyser.fftSize = 1024; // 21 ms at 48 kHz
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#source = context.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(this.#analyser); // and no further: the <audio> element plays it
  }

  /** @returns {number} 0 for silence to 1 for as loud as speech gets */
  read() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    const db = 10 * Math.log10(sum / this.#samples.length + 1e-12);
    return Math.min(1, Math.max(0, (db - FLOOR_DB) / (CEILING_DB - FLOOR_DB)));
  }

  close() {
    this.#source.disconnect();
  }
}
