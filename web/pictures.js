// Pictures that are dropped, pasted or picked into a call: the next question is about them.

import { smallPicture } from "./media/picture.js";

export class Pictures {
  #call;
  #captions;
  #input;

  /**
   * @param {HTMLElement} composer holds the button and its file input
   * @param {() => import("./call/call.js").Call|null} call the present one
   * @param {import("./view/captions.js").Captions} captions
   */
  constructor(composer, call, captions) {
    this.#call = call;
    this.#captions = captions;
    this.#input = /** @type {HTMLInputElement} */ (composer.querySelector('input[type="file"]'));
    composer.querySelector("#pick")?.addEventListener("click", () => this.#input.click());
    this.#input.addEventListener("change", () => {
      this.#send(this.#input.files);
      this.#input.value = ""; // the same file can be picked again
    });
    addEventListener("dragover", (event) => {
      if (this.#call() && !isTextForField(event)) event.preventDefault();
    });
    addEventListener("drop", (event) => {
      if (!this.#call() || isTextForField(event)) return;
      event.preventDefault(); // the browser would open the file in place of the call
      this.#send(event.dataTransfer?.files);
    });
    addEventListener("paste", ({ clipboardData }) => {
      if (clipboardData?.files.length) this.#send(clipboardData.files);
    });
  }

  /** @param {FileList|null|undefined} files of which the first is sent */
  async #send(files) {
    const file = files?.[0];
    const call = this.#call();
    if (!file || !call) return;
    try {
      const picture = await smallPicture(file);
      await call.sendPicture(picture, file.name);
      const name = file.name || "from the clipboard";
      this.#captions.note(`Picture sent: ${name}. Now ask about it.`);
    } catch (error) {
      this.#captions.note(/** @type {Error} */ (error).message, "error");
    }
  }
}

/** @param {DragEvent} event words that are dropped where the caller types stay the field's */
function isTextForField({ dataTransfer, target }) {
  return target instanceof HTMLInputElement && !dataTransfer?.types.includes("Files");
}
