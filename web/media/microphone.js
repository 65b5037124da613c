// The caller's microphone, or silence in its place.

import { audioContext } from "./audio.js";
import { deviceIdOf } from "./chosen_device.js";

const CONSTRAINTS = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

export class Microphone {
  /** @type {MediaStreamTrack|null} */
  #silence = null;
  /** @type {MediaStreamTrack|null} */
  #track = null;
  #muted = false;
  #onLost;
  #chosen;

  /**
   * @param {() => void} onLost the microphone was unplugged, or taken away by the system
   * @param {() => import("../call/preferences.js").DeviceChoice} chosen
   */
  constructor(onLost, chosen) {
    this.#onLost = onLost;
    this.#chosen = chosen;
  }

  /** @returns {Promise<MediaTrackConstraints>} of the chosen microphone */
  async constraints() {
    const deviceId = await deviceIdOf("audioinput", this.#chosen());
    return deviceId ? { ...CONSTRAINTS, deviceId: { exact: deviceId } } : CONSTRAINTS;
  }

  /** @throws {DOMException} as getUserMedia does */
  async open() {
    const audio = await this.constraints();
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    this.adopt(stream.getAudioTracks()[0]);
  }

  /** @param {MediaStreamTrack} track opened elsewhere, together with the camera's */
  adopt(track) {
    this.close();
    this.#track = track;
    track.enabled = !this.#muted;
    track.addEventListener("ended", () => {
      if (this.#track !== track) return;
      this.#track = null;
      this.#onLost();
    });
  }

  get isOpen() {
    return this.#track !== null && this.#track.readyState === "live";
  }

  get muted() {
    return this.#muted;
  }

  /** Whether nothing of the caller's voice is sent: muted, or no microphone. */
  get silent() {
    return this.#muted || !this.isOpen;
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.#muted = muted;
    if (this.#track) this.#track.enabled = !muted;
  }

  /**
   * The track to send. Without a microphone it is silence: the server takes a call without audio
   * packets for one whose caller has vanished.
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
