// The whole conversation as text, to copy and to save. It is made in the page: nothing is asked of
// the server.

import { byId } from "./elements.js";

const DONE_MS = 2_000;
// A file's name has at most 255 bytes, and a letter up to four.
const MAX_NAME_CHARS = 50;

/**
 * @typedef {object} SaidLine
 * @property {string} who "You", or the agent's name
 * @property {string} text
 * @property {boolean} typed
 * @property {string} cut why it ends early, in parentheses; "" if it does not
 * @property {number|null} atMs when its first word came, in ms since 1970; null: in an earlier call
 */

export class TranscriptButtons {
  #captions;

  /** @param {import("./captions.js").Captions} captions */
  constructor(captions) {
    this.#captions = captions;
    byId("copy-transcript").addEventListener("click", ({ currentTarget }) =>
      this.#copy(currentTarget),
    );
    byId("save-transcript").addEventListener("click", ({ currentTarget }) =>
      this.#save(currentTarget),
    );
  }

  /** @param {EventTarget|null} button */
  async #copy(button) {
    const { calledName, said } = this.#captions;
    if (await copied(transcriptText(calledName, said))) {
      this.#confirm(button, "Copied.");
    } else {
      this.#captions.note("The browser does not let this page copy. Save it instead.", "error");
    }
  }

  /** @param {EventTarget|null} button */
  #save(button) {
    const { calledName, said } = this.#captions;
    const file = new Blob([transcriptText(calledName, said)], { type: "text/plain" });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = fileName(calledName, said.find(({ atMs }) => atMs)?.atMs ?? Date.now());
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // some browsers read it later
    this.#confirm(button, "Saved.");
  }

  /**
   * @param {EventTarget|null} button
   * @param {string} words
   */
  #confirm(button, words) {
    this.#captions.announce(words);
    const use = button instanceof Element ? button.querySelector("use") : null;
    const icon = use?.dataset.icon ?? "";
    use?.setAttribute("href", "#icon-check");
    setTimeout(() => use?.setAttribute("href", icon), DONE_MS);
  }
}

/**
 * @param {string} title the agent that was called
 * @param {SaidLine[]} said oldest first
 * @returns {string} with a heading for every day, in this device's time
 */
export function transcriptText(title, said) {
  const lines = [title];
  let heading = "";
  for (const { who, text, typed, cut, atMs } of said) {
    const at = atMs === null ? null : new Date(atMs);
    const above = at ? `${day(at)} (${zone(at)})` : "Before this call";
    if (above !== heading) lines.push("", above, "");
    heading = above;
    const speaker = typed ? `${who} (typed)` : who;
    const words = text.replace(/\s*[\n\r\u2028\u2029]\s*/g, " ") + (cut && ` ${cut}`);
    lines.push(`${at ? `${time(at)} ` : ""}${speaker}: ${words}`);
  }
  return `${lines.join("\n")}\n`;
}

/**
 * @param {string} title
 * @param {number} atMs
 */
export function fileName(title, atMs) {
  const at = new Date(atMs);
  const name = title.toLowerCase().replace(/[^\p{L}\p{M}\p{N}]+/gu, "-");
  const short = [...name].slice(0, MAX_NAME_CHARS).join("").replace(/^-|-$/g, "");
  return `${short || "transcript"}-${day(at)}-${time(at).slice(0, 5).replace(":", "-")}.txt`;
}

/** @param {number} number */
const twoDigits = (number) => String(number).padStart(2, "0");

/** @param {Date} at */
const day = (at) => [at.getFullYear(), at.getMonth() + 1, at.getDate()].map(twoDigits).join("-");

/** @param {Date} at */
const time = (at) => [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(":");

/** @param {Date} at */
function zone(at) {
  const minutes = -at.getTimezoneOffset();
  const ahead = Math.abs(minutes);
  const sign = minutes < 0 ? "-" : "+";
  return `UTC${sign}${twoDigits(Math.floor(ahead / 60))}:${twoDigits(ahead % 60)}`;
}

/**
 * Puts a text on the clipboard. A page without HTTPS has no clipboard API, and in a frame it may be
 * forbidden; the copy command works in both.
 * @param {string} text
 * @returns {Promise<boolean>} whether it is there
 */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    let taken = false;
    /** @param {ClipboardEvent} event */
    const give = (event) => {
      event.clipboardData?.setData("text/plain", text);
      event.preventDefault();
      taken = event.clipboardData !== null;
    };
    document.addEventListener("copy", give, { once: true });
    const done = document.execCommand("copy");
    document.removeEventListener("copy", give);
    return done && taken;
  }
}
