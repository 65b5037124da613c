// The person's camera and microphone together: asked for at once, and each with its own problems.

import { Camera } from "./camera.js";
import { Microphone } from "./microphone.js";
import { INSECURE, Insecure, deviceProblem } from "../call/problems.js";

/**
 * @typedef {object} DevicesListener
 * @property {(kind: "camera"|"microphone"|"both", problem: import("../call/problems.js").Problem) => void}
 *   onMissing the call has to do without it
 * @property {() => void} onFound whatever was missing is there again, or no longer wanted
 * @property {() => Promise<void>} onChange what is to be sent has changed
 */

export class Devices {
  /** @type {Error|null} why there is no camera, although it is wanted */
  cameraError = null;
  #listener;
  #closed = true;

  /** @param {DevicesListener} listener */
  constructor(listener) {
    this.#listener = listener;
    this.camera = new Camera(() => this.#gone("camera"));
    this.microphone = new Microphone(() => this.#gone("microphone"));
  }

  /**
   * Opens both in one question to the person. If that fails, each on its own, so that a missing
   * camera does not cost the microphone. What is missing is told to the listener; it is no error.
   * @param {boolean} withCamera
   */
  async open(withCamera) {
    this.#closed = false;
    this.cameraError = null;
    this.microphone.mute(false);
    if (!navigator.mediaDevices?.getUserMedia) {
      this.#missing("both", new Insecure());
      return;
    }
    if (!withCamera) {
      const error = await this.#try(this.microphone);
      if (error) this.#missing("microphone", error);
      return;
    }
    const { microphone, camera } = this;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: Microphone.constraints,
        video: Camera.constraints,
      });
      microphone.adopt(stream.getAudioTracks()[0]);
      camera.adopt(stream.getVideoTracks()[0]);
    } catch {
      // Which of the two it was, the browser does not say: ask for each.
      const deaf = await this.#try(microphone);
      const blind = await this.#try(camera);
      if (deaf && blind && deaf.name === blind.name) this.#missing("both", deaf);
      else if (deaf) this.#missing("microphone", deaf);
      if (blind && blind.name !== deaf?.name) this.#missing("camera", blind);
    }
    if (this.#closed) this.close(); // hung up while the browser was asking
  }

  /** What the button does: mute and unmute, or try to get the microphone after all. */
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

  /** @param {"camera"|"microphone"|"both"} kind what was missing */
  async retry(kind) {
    this.#listener.onFound();
    if (kind !== "camera" && !this.microphone.isOpen) await this.#reopen("microphone");
    if (kind !== "microphone" && !this.camera.track) await this.#reopen("camera");
    await this.#listener.onChange();
  }

  async switchCamera() {
    try {
      await this.camera.switch();
    } catch (error) {
      this.#missing("camera", error);
    }
    if (this.#closed) this.close();
    await this.#listener.onChange();
  }

  close() {
    this.#closed = true;
    this.camera.close();
    this.microphone.close();
  }

  async #reopen(kind) {
    const error = await this.#try(this[kind]);
    if (error) this.#missing(kind, error);
    if (this.#closed) this.close();
  }

  async #try(device) {
    try {
      if (!navigator.mediaDevices) throw new Insecure();
      await device.open();
      return null;
    } catch (error) {
      return error;
    }
  }

  async #gone(kind) {
    this.#missing(kind, new DOMException("unplugged", "NotFoundError"));
    await this.#listener.onChange();
  }

  #missing(kind, error) {
    if (kind !== "microphone") this.cameraError = error;
    const insecure = error instanceof Insecure;
    this.#listener.onMissing(kind, insecure ? INSECURE : deviceProblem(kind, error));
  }
}
