// The caller's camera and microphone together: one permission prompt, and an error for each.

import { Camera } from "./camera.js";
import { deviceNotice, InsecureContext } from "./device_errors.js";
import { Microphone } from "./microphone.js";

/**
 * @typedef {import("./device_errors.js").Device} Device
 * @typedef {import("./device_errors.js").Missing} Missing
 * @typedef {object} DevicesListener
 * @property {(missing: Missing, notice: import("../call/errors.js").Notice) => void} onMissing the
 *   call has to do without it
 * @property {() => void} onFound what was missing is there again, or no longer wanted
 * @property {() => Promise<void>} onChange the tracks to send have changed
 */

export class Devices {
  /** @type {Error|null} why there is no camera, although it is wanted */
  cameraError = null;
  #listener;
  #closed = true;

  /** @param {DevicesListener} listener */
  constructor(listener) {
    this.#listener = listener;
    this.camera = new Camera(() => this.#lost("camera"));
    this.microphone = new Microphone(() => this.#lost("microphone"));
  }

  /**
   * Opens both with one permission prompt. If that fails, each on its own, so that a missing camera
   * does not cost the microphone. A missing device is reported to the listener, not thrown.
   * @param {boolean} withCamera
   */
  async open(withCamera) {
    this.#closed = false;
    this.cameraError = null;
    this.microphone.mute(false);
    if (!navigator.mediaDevices?.getUserMedia) {
      this.#missing("both", new InsecureContext());
      return;
    }
    if (withCamera) await this.#openBoth();
    else await this.#open("microphone");
    if (this.#closed) this.close(); // hung up during the prompt
  }

  /** Mutes and unmutes; without a microphone, tries to open it. */
  async toggleMicrophone() {
    this.#listener.onFound();
    if (this.microphone.isOpen) this.microphone.mute(!this.microphone.muted);
    else await this.#reopen("microphone");
    await this.#listener.onChange();
  }

  async toggleCamera() {
    this.#listener.onFound();
    this.cameraError = null;
    if (this.camera.track) this.camera.close();
    else await this.#reopen("camera");
    await this.#listener.onChange();
  }

  /** @param {Missing} missing */
  async retry(missing) {
    this.#listener.onFound();
    if (missing !== "camera" && !this.microphone.isOpen) await this.#reopen("microphone");
    if (missing !== "microphone" && !this.camera.track) await this.#reopen("camera");
    await this.#listener.onChange();
  }

  async switchCamera() {
    try {
      await this.camera.switch();
    } catch (error) {
      this.#missing("camera", /** @type {DOMException} */ (error));
    }
    if (this.#closed) this.close();
    await this.#listener.onChange();
  }

  close() {
    this.#closed = true;
    this.camera.close();
    this.microphone.close();
  }

  async #openBoth() {
    const { microphone, camera } = this;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: Microphone.constraints,
        video: Camera.constraints,
      });
      microphone.adopt(stream.getAudioTracks()[0]);
      camera.adopt(stream.getVideoTracks()[0]);
    } catch {
      // The error does not say which of the two failed.
      const noMicrophone = await this.#try(microphone);
      const noCamera = await this.#try(camera);
      const same = noMicrophone && noCamera && noMicrophone.name === noCamera.name;
      if (noMicrophone) this.#missing(same ? "both" : "microphone", noMicrophone);
      if (noCamera && !same) this.#missing("camera", noCamera);
    }
  }

  /** @param {Device} device */
  async #open(device) {
    const error = await this.#try(this[device]);
    if (error) this.#missing(device, error);
  }

  /** @param {Device} device */
  async #reopen(device) {
    await this.#open(device);
    if (this.#closed) this.close();
  }

  /**
   * @param {Camera|Microphone} device
   * @returns {Promise<Error|null>}
   */
  async #try(device) {
    try {
      if (!navigator.mediaDevices) throw new InsecureContext();
      await device.open();
      return null;
    } catch (error) {
      return /** @type {Error} */ (error);
    }
  }

  /** @param {Device} device */
  async #lost(device) {
    this.#missing(device, new DOMException("unplugged", "NotFoundError"));
    await this.#listener.onChange();
  }

  /**
   * @param {Missing} missing
   * @param {Error} error
   */
  #missing(missing, error) {
    if (missing !== "microphone") this.cameraError = error;
    this.#listener.onMissing(missing, deviceNotice(missing, error));
  }
}
