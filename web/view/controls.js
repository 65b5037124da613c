// The row of buttons under the picture.

export class Controls {
  /** @type {Record<string, HTMLButtonElement>} */
  #buttons;

  /**
   * @param {HTMLElement} stage holds buttons with data-control="microphone|camera|switch|hang-up"
   * @param {Record<string, () => void>} actions by the same names
   * @param {import("../media/hold_to_talk.js").HoldToTalk} hold gets the microphone's button
   */
  constructor(stage, actions, hold) {
    /** @type {NodeListOf<HTMLButtonElement>} */
    const buttons = stage.querySelectorAll("[data-control]");
    this.#buttons = Object.fromEntries([...buttons].map((one) => [one.dataset.control, one]));
    for (const [name, button] of Object.entries(this.#buttons)) {
      button.addEventListener("click", actions[name]);
    }
    const { microphone } = this.#buttons;
    microphone.addEventListener("pointerdown", () => hold.press("pointer"));
    for (const end of ["pointerup", "pointercancel"]) {
      addEventListener(end, () => hold.release("pointer"));
    }
    microphone.addEventListener("keydown", ({ key }) => {
      if (key === " " || key === "Enter") hold.press("button");
    });
    microphone.addEventListener("keyup", () => hold.release("button"));
    microphone.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch
  }

  /**
   * @param {{microphoneOpen: boolean, muted: boolean, pushToTalk: boolean, cameraOn: boolean,
   *   canSwitch: boolean}} now
   */
  show({ microphoneOpen, muted, pushToTalk, cameraOn, canSwitch }) {
    const sounding = microphoneOpen && !muted;
    // The accessible name begins with the visible label, for speech input (WCAG 2.5.3).
    if (pushToTalk && microphoneOpen) {
      this.#set("microphone", sounding, sounding ? "Talking" : "Hold to talk", "Hold to talk");
    } else {
      const verb = sounding ? "Mute" : microphoneOpen ? "Unmute" : "Use mic";
      this.#set("microphone", sounding, verb, microphoneOpen ? `${verb} microphone` : verb);
    }
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
