// The person's camera: which one, which way it looks, on and off.

// 1280×720 for the person's own eyes: the picture fills a large screen. sender.js scales what
// leaves down to what the server keeps.
const SIZE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

export class Camera {
  /** @type {MediaStreamTrack|null} */
  track = null;
  #onGone;
  #count = 0;

  /** @param {() => void} onGone the camera was unplugged, or taken away by the system */
  constructor(onGone) {
    this.#onGone = onGone;
  }

  static get constraints() {
    return { ...SIZE, facingMode: { ideal: "user" } };
  }

  /**
   * Opens it.
   * @param {MediaTrackConstraints} constraints
   * @throws {DOMException} as getUserMedia does
   */
  async open(constraints = Camera.constraints) {
    const stream = await navigator.mediaDevices.getUserMedia({ video: constraints });
    this.adopt(stream.getVideoTracks()[0]);
  }

  /** Takes a track that was asked for together with the microphone's. */
  adopt(track) {
    this.close();
    this.track = track;
    track.addEventListener("ended", () => {
      if (this.track !== track) return;
      this.track = null;
      this.#onGone();
    });
  }

  get canSwitch() {
    return this.#count > 1;
  }

  /** Counts the cameras. Browsers tell only once one may be used. */
  async count() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    this.#count = devices.filter(({ kind }) => kind === "videoinput").length;
  }

  /** To the next camera; a phone turns from front to rear and back. */
  async switch() {
    const { facingMode, deviceId } = this.track?.getSettings() ?? {};
    const next = facingMode
      ? { facingMode: { ideal: facingMode === "user" ? "environment" : "user" } }
      : { deviceId: { exact: await this.#deviceAfter(deviceId) } };
    this.close(); // many phones open one camera at a time
    try {
      await this.open({ ...SIZE, ...next });
    } catch (error) {
      await this.open({ ...SIZE, ...(deviceId ? { deviceId: { exact: deviceId } } : {}) });
      throw error;
    }
  }

  async #deviceAfter(deviceId) {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const ids = devices.filter(({ kind }) => kind === "videoinput").map((one) => one.deviceId);
    return ids[(ids.indexOf(deviceId) + 1) % ids.length];
  }

  /** Off also for the light beside the lens. */
  close() {
    const track = this.track;
    this.track = null;
    track?.stop();
  }
}
