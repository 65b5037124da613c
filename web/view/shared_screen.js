// The shared screen beside the camera: one of the two is large, the other a small view on it.

import { Points } from "./points.js";
import { VisionChip } from "./vision_chip.js";

// The server may leave out frames of an unchanged screen for half a minute.
const STALE_AFTER_MS = 34_000;

export class SharedScreen {
  #view;
  #video;
  #button;
  #swap;

  /**
   * @param {HTMLElement} stage
   * @param {() => void} onResize the track has another size
   */
  constructor(stage, onResize) {
    this.#view = /** @type {HTMLElement} */ (stage.querySelector(".screen-view"));
    this.#video = /** @type {HTMLVideoElement} */ (this.#view.querySelector("video"));
    this.#button = /** @type {HTMLElement} */ (stage.querySelector('[data-control="screen"]'));
    this.#swap = /** @type {HTMLElement} */ (stage.querySelector("#swap-views"));
    const overlay = /** @type {HTMLElement} */ (this.#view.querySelector(".points"));
    const chip = /** @type {HTMLElement} */ (this.#view.querySelector(".chip"));
    this.points = new Points(overlay, this.#video);
    this.chip = new VisionChip(this.#view, chip, STALE_AFTER_MS);
    this.#swap.addEventListener("click", () => this.#enlarge(this.#large !== "screen"));
    this.#video.addEventListener("resize", () => {
      const { videoWidth, videoHeight } = this.#video;
      if (!videoHeight) return;
      stage.style.setProperty("--screen-ratio", (videoWidth / videoHeight).toFixed(4));
      onResize();
    });
  }

  /** @param {MediaStreamTrack|null} track null: not shared */
  show(track) {
    this.#video.srcObject = track ? new MediaStream([track]) : null;
    this.#view.hidden = track === null;
    this.#swap.hidden = track === null;
    if (track) this.points.watch();
    else {
      this.points.stop();
      this.chip.hide();
    }
    this.#enlarge(track !== null);
    const name = track ? "Stop sharing your screen" : "Share your screen";
    this.#button.setAttribute("aria-label", name);
    this.#button.setAttribute("aria-pressed", String(track !== null));
    this.#button.title = name;
    const label = /** @type {HTMLElement} */ (this.#button.querySelector(".label"));
    label.textContent = track ? "Stop" : "Share";
  }

  get #large() {
    return document.body.dataset.large;
  }

  /** @param {boolean} screen whether the screen is the large one */
  #enlarge(screen) {
    document.body.dataset.large = screen ? "screen" : "camera";
    const name = screen ? "Show the camera large" : "Show the screen large";
    this.#swap.setAttribute("aria-label", name);
    this.#swap.title = name;
  }
}
