// The row of buttons under the picture.

export class Controls {
  /** @type {Record<string, HTMLButtonElement>} */
  #buttons;

  /**
   * @param {HTMLElement} row holds buttons with data-control="microphone|camera|switch|hang-up"
   * @param {Record<string, () => void>} actions by the same names
   */
  constructor(row, actions) {
    /** @type {NodeListOf<HTMLButtonElement>} */
    const buttons = row.querySelectorAll("[data-control]");
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
