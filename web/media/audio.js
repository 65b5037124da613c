// Sound on the page: the agent's voice, the level meters and the chime after a reconnection.

import { deviceIdOf } from "./chosen_device.js";

// Levels are read every 40 ms at most, and what is heard through the context waits for nobody. Blocks
// of 10 ms, the default, take a sixth more CPU time on a page in a call.
const BLOCK_S = 0.04;

/** @type {AudioContext|undefined} */
let context;

/**
 * The page's only AudioContext. Browsers let one run only after a user gesture, so the first caller
 * creates it.
 * @returns {AudioContext} running, if called during a user gesture or after one
 */
export function audioContext() {
  context ??= new AudioContext({ latencyHint: BLOCK_S });
  if (context.state === "suspended") context.resume();
  return context;
}

/** The <audio> element that plays the agent's voice. */
export class AgentVoice {
  #element;
  #onBlocked;
  #stream = new MediaStream();

  /**
   * @param {HTMLAudioElement} element
   * @param {(blocked: boolean) => void} onBlocked whether autoplay is blocked until another click
   */
  constructor(element, onBlocked) {
    this.#element = element;
    this.#onBlocked = onBlocked;
  }

  /** Must run in the click handler: Safari lets an element play later only if it started in one. */
  unlock() {
    this.#stream = new MediaStream();
    this.#element.srcObject = this.#stream;
    this.play();
  }

  /** @param {MediaStreamTrack} track replaces the track of the previous connection */
  use(track) {
    for (const old of this.#stream.getTracks()) this.#stream.removeTrack(old);
    this.#stream.addTrack(track);
    this.play();
  }

  play() {
    this.#element.play().then(
      () => this.#onBlocked(false),
      (error) => {
        // AbortError only means that a later play() replaced this one.
        if (error.name === "NotAllowedError") this.#onBlocked(true);
      },
    );
  }

  /**
   * Plays through a speaker, or through the system's default if that one is unplugged.
   * @param {import("../call/preferences.js").DeviceChoice} speaker
   */
  async useSpeaker(speaker) {
    // Where the page can't choose, the phone chooses.
    if (!("setSinkId" in this.#element) || !navigator.mediaDevices) return;
    const deviceId = await deviceIdOf("audiooutput", speaker);
    await this.#element.setSinkId(deviceId).catch(() => this.#element.setSinkId(""));
  }

  stop() {
    this.#element.srcObject = null;
    this.#onBlocked(false);
  }
}

const FLOOR_DB = -55;
const CEILING_DB = -12;

/** Measures how loud a track is. */
export class LevelMeter {
  #source;
  #analyser;
  #samples;

  /** @param {MediaStreamTrack} track */
  constructor(track) {
    const context = audioContext();
    this.#analyser = new AnalyserNode(context, { fftSize: 2048 }); // a block at 48 kHz
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#source = context.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(this.#analyser); // not to the destination: the <audio> element plays it
  }

  /** @returns {number} 0 for -55 dBFS and below, 1 for -12 dBFS and above, linear in dB between */
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

// A shorter interruption is hardly noticed.
const CHIME_AFTER_MS = 1_000;
const TONES_HZ = [660, 880];
const TONE_S = 0.11;
const GAIN = 0.06;

/** A short rising sound when the agent is back, for callers who are not looking at the page. */
export class ReconnectChime {
  /** @type {number|null} */
  #lostAtMs = null;

  connectionLost() {
    this.#lostAtMs ??= performance.now();
  }

  /** The agent hears the caller. */
  connected() {
    const lostAtMs = this.#lostAtMs;
    this.#lostAtMs = null;
    if (lostAtMs !== null && performance.now() - lostAtMs >= CHIME_AFTER_MS) this.#play();
  }

  callEnded() {
    this.#lostAtMs = null;
  }

  #play() {
    const context = audioContext();
    TONES_HZ.forEach((frequency, index) => {
      const begin = context.currentTime + BLOCK_S + index * TONE_S; // a block is being made
      const tone = new OscillatorNode(context, { frequency });
      const gain = new GainNode(context, { gain: 0 });
      // Without the ramps it clicks.
      gain.gain.setValueAtTime(0, begin);
      gain.gain.linearRampToValueAtTime(GAIN, begin + 0.02);
      gain.gain.linearRampToValueAtTime(0, begin + TONE_S);
      tone.connect(gain).connect(context.destination);
      tone.start(begin);
      tone.stop(begin + TONE_S);
    });
  }
}
