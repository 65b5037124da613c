// The caller's shared screen, window or tab.

import { InsecureContext } from "./device_errors.js";

// The agent looks at it once in two seconds, in a size in which text can be read.
const CONSTRAINTS = { video: { frameRate: { max: 5 } }, audio: false };

/** The browser has no screen sharing: those of phones have none. */
export class NoScreenSharing extends Error {
  constructor() {
    super("This browser has no screen sharing.");
    this.name = "NoScreenSharing";
  }
}

export class Screen {
  /** @type {MediaStreamTrack|null} null: not shared */
  track = null;
  #onEnded;

  /** @param {() => void} onEnded sharing was stopped in the browser, or the window was closed */
  constructor(onEnded) {
    this.#onEnded = onEnded;
  }

  /**
   * Asks the person what to share.
   * @throws {DOMException|InsecureContext|NoScreenSharing} NotAllowedError: cancelled, or forbidden
   */
  async share() {
    if (!navigator.mediaDevices) throw new InsecureContext();
    if (!navigator.mediaDevices.getDisplayMedia) throw new NoScreenSharing();
    const stream = await navigator.mediaDevices.getDisplayMedia(CONSTRAINTS);
    const [track] = stream.getVideoTracks();
    track.contentHint = "detail"; // sharp text before a smooth picture
    this.stop();
    this.track = track;
    track.addEventListener("ended", () => {
      if (this.track !== track) return;
      this.track = null;
      this.#onEnded();
    });
  }

  stop() {
    const track = this.track;
    this.track = null;
    track?.stop();
  }
}

/**
 * Why the screen is not shared, in words.
 * @param {Error} error
 * @returns {import("../call/errors.js").Notice}
 */
export function screenNotice(error) {
  const title = "Your screen is not shared";
  const notice = (/** @type {string} */ text) => ({ title, text, action: null });
  switch (error.name) {
    case "InsecureContext":
      return notice("Browsers share screens only over https, or on the machine itself.");
    case "NoScreenSharing":
      return notice("This browser can't share a screen; browsers on computers can.");
    case "NotAllowedError":
      return notice("Nothing was chosen, or the browser or the system does not allow it.");
    case "NotFoundError":
      return notice("The browser found no screen to share.");
    case "NotReadableError":
      return notice("The system does not let the browser see the screen.");
    default:
      return notice(error.message || error.name);
  }
}
