// Pictures that are dropped, pasted or picked into a call: the next question is about them.

import { smallPicture } from "./media/picture.js";

/** How many pictures one question is about, at most: the server keeps no more. */
const MAX_PICTURES = 4;

export class Pictures {
  /** Pictures that are dropped while others are being sent are sent after them. */
  #sending = Promise.resolve();
  #call;
  #captions;
  #input;

  /**
   * @param {HTMLElement} composer holds the button and its file input
   * @param {() => import("./call/call.js").Call|null} call the current one
   * @param {import("./view/captions.js").Captions} captions
   */
  constructor(composer, call, captions) {
    this.#call = call;
    this.#captions = captions;
    this.#input = /** @type {HTMLInputElement} */ (composer.querySelector('input[type="file"]'));
    composer.querySelector("#pick")?.addEventListener("click", () => this.#input.click());
    this.#input.addEventListener("change", () => {
      this.#take(this.#input.files);
      this.#input.value = ""; // the same file can be picked again
    });
    addEventListener("dragover", (event) => {
      if (this.#call() && !isTextForField(event)) event.preventDefault();
    });
    addEventListener("drop", (event) => {
      if (!this.#call() || isTextForField(event)) return;
      event.preventDefault(); // the browser would open the file in place of the call
      this.#take(event.dataTransfer?.files);
    });
    addEventListener("paste", ({ clipboardData }) => {
      if (clipboardData?.files.length) this.#take(clipboardData.files);
    });
  }

  /** @param {FileList|null|undefined} files */
  #take(files) {
    const call = this.#call();
    const chosen = [...(files ?? [])]; // the list is emptied after the event
    if (call && chosen.length) this.#sending = this.#sending.then(() => this.#send(chosen, call));
  }

  /**
   * @param {File[]} files of which the first four pictures are sent
   * @param {import("./call/call.js").Call} call
   */
  async #send(files, call) {
    const sent = [];
    /** @type {string[]} */
    const unsent = [];
    for (const file of files) {
      if (call !== this.#call()) return; // hung up meanwhile
      if (sent.length === MAX_PICTURES) {
        unsent.push(nameOf(file));
        continue;
      }
      try {
        const picture = await smallPicture(file);
        const { left_out } = await call.sendPicture(picture, file.name);
        sent.push(nameOf(file));
        if (left_out !== undefined) unsent.push(left_out || CLIPBOARD);
      } catch (error) {
        this.#captions.note(/** @type {Error} */ (error).message, "error");
      }
    }
    if (unsent.length) {
      const words = `A question is about ${MAX_PICTURES} pictures at most, so without: ${listed(unsent)}.`;
      this.#captions.note(words, "error");
    }
    if (sent.length === 1) this.#captions.note(`Picture sent: ${sent[0]}. Now ask about it.`);
    if (sent.length > 1)
      this.#captions.note(`Pictures sent: ${sent.join(", ")}. Now ask about them.`);
  }
}

const CLIPBOARD = "from the clipboard";
const MAX_NAMED = 6;

/** @param {File} file */
function nameOf(file) {
  return file.name || CLIPBOARD;
}

/** @param {string[]} names */
function listed(names) {
  const more = names.length - MAX_NAMED;
  return names.slice(0, MAX_NAMED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** @param {DragEvent} event text that is dropped into a text field belongs to the field */
function isTextForField({ dataTransfer, target }) {
  return target instanceof HTMLInputElement && !dataTransfer?.types.includes("Files");
}
