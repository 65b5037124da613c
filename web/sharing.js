// Sharing the screen: from the button to the call and the view.

import { Screen, screenNotice } from "./media/screen.js";
import { SharedScreen } from "./view/shared_screen.js";

const ABOUT = "screen";

export class ScreenSharing {
  #allowed = true;
  #button;
  #call;
  #notices;

  /**
   * @param {HTMLElement} stage
   * @param {import("./view/notices.js").Notices} notices
   * @param {() => import("./call/call.js").Call|null} call the current one
   */
  constructor(stage, notices, call) {
    this.#button = /** @type {HTMLElement} */ (stage.querySelector('[data-control="screen"]'));
    this.#call = call;
    this.#notices = notices;
    this.allowed = true;
    this.screen = new Screen(() => this.#changed());
    this.view = new SharedScreen(stage, () => this.#call()?.screenResized());
  }

  /** @param {boolean} allowed whether the server looks at screens */
  set allowed(allowed) {
    this.#allowed = allowed;
    // No browser of a phone shares its screen.
    this.#button.hidden = !allowed || !navigator.mediaDevices?.getDisplayMedia;
  }

  async toggle() {
    this.#notices.clear(ABOUT);
    const call = this.#call();
    if (this.screen.track) this.screen.stop();
    else if (!this.#allowed) {
      this.#tell(new Error("This server allows no screen sharing."));
      return;
    } else {
      try {
        await this.screen.share();
      } catch (error) {
        this.#tell(/** @type {Error} */ (error));
        return;
      }
      if (call === null || call !== this.#call()) this.screen.stop(); // hung up meanwhile
    }
    await this.#changed();
  }

  /** The call is over. */
  end() {
    this.screen.stop();
    this.view.show(null);
  }

  async #changed() {
    this.view.show(this.screen.track);
    try {
      await this.#call()?.useScreen(this.screen.track);
    } catch (error) {
      this.end();
      this.#tell(/** @type {Error} */ (error));
    }
  }

  /** @param {Error} error */
  #tell(error) {
    this.#notices.show(ABOUT, screenNotice(error), { dismissable: true });
  }
}
