// The person's microphone, or the silence that stands in for it.

import { audioContext } from "./audio_context.js";

const CONSTRAINTS = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

export class Microphone {
  /** @type {MediaStreamTrack|null} */
  #silence = null;
  /** @type {MediaStreamTrack|null} */
  #track = null;
  #muted = false;
  #onGone;

  /** @param {() => void} onGone the microphone was unplugged, or taken away by the system */
  constructor(onGone) {
    this.#onGone = onGone;
  }

  static get constraints() {
    return CONSTRAINTS;
  }

  /** Opens it. @throws {DOMException} as getUserMedia does */
  async open() {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: CONSTRAINTS });
    this.adopt(stream.getAudioTracks()[0]);
  }

  /** Takes a track that was asked for together with the camera's. */
  adopt(track) {
    this.close();
    this.#track = track;
    track.enabled = !this.#muted;
    track.addEventListener("ended", () => {
      if (this.#track !== track) return;
      this.#track = null;
      this.#onGone();
    });
  }

  get isOpen() {
    return this.#track !== null && this.#track.readyState === "live";
  }

  get muted() {
    return this.#muted;
  }

  /** Nothing of the caller's voice leaves: muted by hand, or there is no microphone. */
  get silent() {
    return this.#muted || !this.isOpen;
  }

  mute(muted) {
    this.#muted = muted;
    if (this.#track) this.#track.enabled = !muted;
  }

  /**
   * What to send. Without a microphone it is silence, so that sound packets flow all the same:
   * that is how the server tells a typed call from a caller who vanished.
   * @returns {MediaStreamTrack}
   */
  get track() {
    if (this.#track !== null && this.isOpen) return this.#track;
    this.#silence ??= audioContext().createMediaStreamDestination().stream.getAudioTracks()[0];
    return this.#silence;
  }

  close() {
    const track = this.#track;
    this.#track = null;
    track?.stop();
  }
}
