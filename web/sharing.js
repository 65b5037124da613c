// Sharing the screen: from the button to the call and the view.

import { Screen, screenNotice } from "./media/screen.js";
import { SharedScreen } from "./view/shared_screen.js";

const ABOUT = "screen";

export class ScreenSharing {
  /** Whether the server looks at screens. */
  allowed = true;
  #call;
  #notices;

  /**
   * @param {HTMLElement} stage
   * @param {import("./view/notices.js").Notices} notices
   * @param {() => import("./call/call.js").Call|null} call the present one
   */
  constructor(stage, notices, call) {
    this.#call = call;
    this.#notices = notices;
    this.screen = new Screen(() => this.#changed());
    this.view = new SharedScreen(stage, () => this.#call()?.screenResized());
  }

  async toggle() {
    this.#notices.clear(ABOUT);
    const call = this.#call();
    if (this.screen.track) this.screen.stop();
    else if (!this.allowed) {
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
