// Says that calls are recorded, before and while they are, and asks whether this one may be.

import { RecordingChoice } from "../call/recording_choice.js";
import { tabStorage } from "../call/resume_token.js";
import { byId } from "./elements.js";

const WHAT = "your camera, a shared screen and both voices are kept on this server";

export class Recording {
  #choice = new RecordingChoice(tabStorage(), location.pathname);
  #asked = false;
  #sign = /** @type {HTMLButtonElement} */ (byId("recording-sign"));
  /** @type {NodeListOf<HTMLInputElement>} */
  #answers = document.querySelectorAll("#recording-answers input");

  /** @param {(options: {record: boolean}) => void} onStop the caller takes a consent back */
  constructor(onStop) {
    this.#sign.addEventListener("click", () => {
      this.#choice.choose("no");
      this.#showChoice();
      onStop(this.#choice.options);
    });
    for (const answer of this.#answers) {
      answer.addEventListener("change", () =>
        this.#choice.choose(/** @type {"yes"|"no"} */ (answer.value)),
      );
    }
  }

  /** @param {import("../call/recording_choice.js").Recording|undefined} server what it records */
  offer(server = { calls: "none", needs_consent: false }) {
    this.#choice.offer(server);
    byId("recording").hidden = server.calls === "none";
    byId("recording-words").textContent = words(server);
    byId("recording-answers").hidden = !this.#choice.isOffered;
    this.#sign.disabled = !this.#choice.isOffered;
    this.#sign.title = `This call is recorded${this.#choice.isOffered ? ": stop recording" : ""}`;
    this.#sign.setAttribute("aria-label", `Rec. ${this.#sign.title}`);
    byId("recording-yes").textContent = server.needs_consent
      ? "I agree to be recorded"
      : "Record this call";
    this.#showChoice();
  }

  #showChoice() {
    for (const answer of this.#answers) answer.checked = answer.value === this.#choice.now;
  }

  /** A call begins: its options. */
  begin() {
    this.#sign.hidden = true;
    const { options } = this.#choice;
    this.#asked = options.record;
    return options;
  }

  /**
   * The server has begun to record the call, no longer does or does not.
   * @param {boolean} on
   * @param {string|undefined} reason
   * @returns {import("../call/errors.js").Notice|null} what the caller should know, if that is not
   *   what they were told
   */
  changed(on, reason) {
    const before = !this.#sign.hidden;
    this.#sign.hidden = !on;
    if (on || (!before && !this.#asked)) return null;
    const title = before ? "The recording has ended" : "This call is not recorded";
    const why = reason ? `${reason.charAt(0).toUpperCase()}${reason.slice(1)}. ` : "";
    return { title, text: `${why}The call goes on.`, action: null };
  }
}

/** @param {import("../call/recording_choice.js").Recording} server */
function words({ calls, needs_consent: needsConsent }) {
  if (needsConsent) return `A call is recorded only if you agree: ${WHAT}.`;
  if (calls === "asked") return `A call can be recorded: ${WHAT}.`;
  return `Calls are recorded: ${WHAT}.`;
}
