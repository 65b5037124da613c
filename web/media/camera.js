// The caller's camera: on and off, and which one.

import { deviceIdOf } from "./chosen_device.js";

// The caller sees this on a large screen. call/video_encoding.js scales down what is sent to the
// size that the server keeps.
const SIZE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

export class Camera {
  /** @type {MediaStreamTrack|null} null: off */
  track = null;
  #onLost;
  #chosen;
  #count = 0;

  /**
   * @param {() => void} onLost the camera was unplugged, or taken away by the system
   * @param {() => import("../call/preferences.js").DeviceChoice} chosen
   */
  constructor(onLost, chosen) {
    this.#onLost = onLost;
    this.#chosen = chosen;
  }

  /** @returns {Promise<MediaTrackConstraints>} of the chosen camera */
  async constraints() {
    const deviceId = await deviceIdOf("videoinput", this.#chosen());
    // Exact: a mere preference is outweighed by the size.
    const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: { ideal: "user" } };
    return { ...SIZE, ...which };
  }

  /**
   * Opens the chosen camera.
   * @throws {DOMException} as getUserMedia does
   */
  async open() {
    await this.#openThat(await this.constraints());
  }

  /** @param {MediaTrackConstraints} video */
  async #openThat(video) {
    const stream = await navigator.mediaDevices.getUserMedia({ video });
    this.adopt(stream.getVideoTracks()[0]);
  }

  /** @param {MediaStreamTrack} track opened elsewhere, together with the microphone's */
  adopt(track) {
    this.close();
    this.track = track;
    track.addEventListener("ended", () => {
      if (this.track !== track) return;
      this.track = null;
      this.#onLost();
    });
  }

  get canSwitch() {
    return this.#count > 1;
  }

  /** Counts the cameras. Browsers list them only once the caller has allowed one. */
  async count() {
    this.#count = (await cameraIds()).length;
  }

  /**
   * Switches to the next camera; on a phone between front and rear.
   * @throws {DOMException} the next one did not open; the one before is on again
   */
  async switch() {
    const { facingMode, deviceId } = this.track?.getSettings() ?? {};
    const next = facingMode
      ? { facingMode: { ideal: facingMode === "user" ? "environment" : "user" } }
      : { deviceId: { exact: await cameraAfter(deviceId) } };
    this.close(); // many phones open one camera at a time
    try {
      await this.#openThat({ ...SIZE, ...next });
    } catch (error) {
      await this.#openThat({ ...SIZE, ...(deviceId ? { deviceId: { exact: deviceId } } : {}) });
      throw error;
    }
  }

  /** Stops the track, which also turns off the light beside the lens. */
  close() {
    const track = this.track;
    this.track = null;
    track?.stop();
  }
}

async function cameraIds() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter(({ kind }) => kind === "videoinput").map(({ deviceId }) => deviceId);
}

/** @param {string} [deviceId] */
async function cameraAfter(deviceId) {
  const ids = await cameraIds();
  return ids[((deviceId === undefined ? -1 : ids.indexOf(deviceId)) + 1) % ids.length];
}
