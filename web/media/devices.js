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

/** @type {Device[]} */
const DEVICES = ["camera", "microphone"];

export class Devices {
  /** @type {Error|null} why there is no camera, although it is wanted */
  cameraError = null;
  #listener;
  #closed = true;
  /** @type {Set<Device>} devices that the caller or the browser has not allowed in this call */
  #refused = new Set();

  /**
   * @param {DevicesListener} listener
   * @param {() => Record<Device, import("../call/preferences.js").DeviceChoice>} chosen
   */
  constructor(listener, chosen) {
    this.#listener = listener;
    this.camera = new Camera(
      () => this.#lost("camera"),
      () => chosen().camera,
    );
    this.microphone = new Microphone(
      () => this.#lost("microphone"),
      () => chosen().microphone,
    );
    this.#retryWhenAllowed("camera");
    this.#retryWhenAllowed("microphone");
  }

  /**
   * Opens both with one permission prompt. If that fails, each on its own, so that a missing camera
   * does not cost the microphone. A missing device is reported to the listener, not thrown.
   * @param {boolean} withCamera
   * @param {boolean} muted
   */
  async open(withCamera, muted) {
    this.#closed = false;
    this.cameraError = null;
    this.#refused.clear();
    this.microphone.mute(muted);
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
    if (this.#closed) return; // allowed after the call
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

  /**
   * Another device has been chosen. A device that is off stays off.
   * @param {Device} device
   */
  async reselect(device) {
    const open = device === "camera" ? this.camera.track !== null : this.microphone.isOpen;
    if (!open) return;
    if (device === "camera") this.camera.close(); // many phones open one camera at a time
    await this.#reopen(device);
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
        audio: await microphone.constraints(),
        video: await camera.constraints(),
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

  /**
   * A permission that is granted late, in the site settings, opens the device that was refused.
   * @param {Device} device
   */
  async #retryWhenAllowed(device) {
    const name = /** @type {PermissionName} */ (device);
    // Browsers that do not know the name throw; there the notice's button retries.
    const permission = await navigator.permissions?.query({ name }).catch(() => null);
    permission?.addEventListener("change", () => {
      if (permission.state === "granted" && this.#refused.delete(device)) this.retry(device);
    });
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
    if (error.name === "NotAllowedError") {
      for (const device of DEVICES)
        if (missing === "both" || missing === device) this.#refused.add(device);
    }
    this.#listener.onMissing(missing, deviceNotice(missing, error));
  }
}
