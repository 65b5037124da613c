// The row of buttons under the picture.

const MUTE_KEY = "m"; // index.html names it in aria-keyshortcuts

export class Controls {
  /** @type {Record<string, HTMLButtonElement>} */
  #buttons;

  /**
   * @param {HTMLElement} stage holds buttons with data-control="microphone|camera|switch|hang-up".
   *   The mute key works while the focus is in it, and nowhere else: speech input and typing
   *   produce single letters too (WCAG 2.1.4).
   * @param {Record<string, () => void>} actions by the same names
   */
  constructor(stage, actions) {
    stage.addEventListener("keydown", ({ key, repeat, altKey, ctrlKey, metaKey }) => {
      const plain = !repeat && !altKey && !ctrlKey && !metaKey;
      if (plain && key.toLowerCase() === MUTE_KEY) actions.microphone();
    });
    /** @type {NodeListOf<HTMLButtonElement>} */
    const buttons = stage.querySelectorAll("[data-control]");
    this.#buttons = Object.fromEntries([...buttons].map((one) => [one.dataset.control, one]));
    for (const [name, button] of Object.entries(this.#buttons)) {
      button.addEventListener("click", actions[name]);
    }
  }

  /** @param {{microphoneOpen: boolean, muted: boolean, cameraOn: boolean, canSwitch: boolean}} now */
  show({ microphoneOpen, muted, cameraOn, canSwitch }) {
    const sounding = microphoneOpen && !muted;
    // The accessible name begins with the visible label, for speech input (WCAG 2.5.3).
    const verb = sounding ? "Mute" : microphoneOpen ? "Unmute" : "Use mic";
    this.#set("microphone", sounding, verb, microphoneOpen ? `${verb} microphone` : verb);
    const camera = cameraOn ? "Camera on" : "Camera off";
    this.#set("camera", cameraOn, camera, `${camera}: turn camera ${cameraOn ? "off" : "on"}`);
    this.#buttons.switch.hidden = !(cameraOn && canSwitch);
  }

  /**
   * @param {string} control
   * @param {boolean} on
   * @param {string} label
   * @param {string} name the accessible name
   */
  #set(control, on, label, name) {
    const button = this.#buttons[control];
    button.dataset.on = String(on);
    button.setAttribute("aria-label", name);
    button.title = name;
    /** @type {HTMLElement} */ (button.querySelector(".label")).textContent = label;
    button.querySelector("use")?.setAttribute("href", `#icon-${control}${on ? "" : "-off"}`);
  }
}
