// What the caller types to the agent, or presses instead of typing.

import { whyTooLong } from "../call/channel.js";
import { button, byId } from "./elements.js";

export class Composer {
  #input = /** @type {HTMLInputElement} */ (byId("text"));
  #captions;
  #call;
  #onSent;

  /**
   * @param {import("./captions.js").Captions} captions
   * @param {() => import("../call/call.js").Call|null} call the one in progress
   * @param {() => void} onSent
   */
  constructor(captions, call, onSent) {
    this.#captions = captions;
    this.#call = call;
    this.#onSent = onSent;
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.send(this.#input.value.trim())) this.#input.value = "";
    });
    for (const { textContent } of byId("lobby-asks").querySelectorAll("button")) {
      const question = textContent ?? "";
      byId("asks").append(button(question, () => this.send(question)));
    }
  }

  /** @param {boolean} enabled */
  enable(enabled) {
    this.#input.disabled = !enabled;
  }

  /** @param {string} text a text that the server did not take */
  giveBack(text) {
    this.#input.value ||= text;
  }

  /**
   * @param {string} text
   * @returns {boolean} false: not sent
   */
  send(text) {
    const reason = whyTooLong(text);
    if (reason !== null) {
      this.#captions.note(reason, "error");
      return false;
    }
    const id = (text && this.#call()?.sendText(text)) || null;
    if (id === null) return false;
    this.#captions.typed(text, id);
    this.#onSent();
    return true;
  }
}
