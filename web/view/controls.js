// The row of buttons under the picture.

export class Controls {
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
    // The name begins with the words that are seen: who speaks to the machine says those.
    const verb = sounding ? "Mute" : microphoneOpen ? "Unmute" : "Use mic";
    this.#set("microphone", sounding, verb, microphoneOpen ? `${verb} microphone` : verb);
    const camera = cameraOn ? "Camera on" : "Camera off";
    this.#set("camera", cameraOn, camera, `${camera}: turn camera ${cameraOn ? "off" : "on"}`);
    this.#buttons.switch.hidden = !(cameraOn && canSwitch);
  }

  #set(name, on, label, spoken) {
    const button = this.#buttons[name];
    button.dataset.on = String(on);
    button.setAttribute("aria-label", spoken);
    button.title = spoken;
    button.querySelector(".label").textContent = label;
    button.querySelector("use").setAttribute("href", `#icon-${name}${on ? "" : "-off"}`);
  }
}
