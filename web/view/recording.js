// Says that calls are recorded, before and while they are, and asks whether this one may be.

import { RecordingChoice } from "../call/recording_choice.js";
import { tabStorage } from "../call/resume_token.js";
import { byId } from "./elements.js";

const KIND = "recording";
const WHAT =
  "your camera, a shared screen, both voices and all that is written are kept on this server";

export class Recording {
  #choice = new RecordingChoice(tabStorage(), location.pathname);
  /** @type {{record: boolean, record_consent?: boolean}} of the call that begins */
  options = { record: false };
  /** @type {boolean|null} whether the call is recorded; null: the server has not said */
  #on = null;
  #sign = /** @type {HTMLButtonElement} */ (byId("recording-sign"));
  /** @type {NodeListOf<HTMLInputElement>} */
  #answers = document.querySelectorAll("#recording-answers input");

  #notices;
  #onHidden;

  /**
   * @param {import("./notices.js").Notices} notices of the call
   * @param {() => boolean} onStop the caller takes a consent back; returns false if the server is told
   *   later
   * @param {() => void} onHidden the sign was hidden, perhaps with the focus on it
   */
  constructor(notices, onStop, onHidden) {
    this.#notices = notices;
    this.#onHidden = onHidden;
    this.#sign.addEventListener("click", () => {
      this.#choice.choose("no");
      this.#showChoice();
      if (!onStop()) this.#notify("The recording ends when you are connected again");
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

  /** The caller has dialled: what the page said by now is what they have agreed to. */
  settle() {
    this.options = this.#choice.options;
  }

  /** A call has begun or ended: whether the server records it is not known yet. */
  reset() {
    this.#notices.clear(KIND);
    this.#show(null);
  }

  /**
   * The server has begun to record the call, no longer does or does not.
   * @param {boolean} on
   * @param {string|undefined} reason without a full stop
   */
  changed(on, reason) {
    const title = news(this.#on, on, this.options.record);
    this.#show(on);
    const why = reason ? `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.` : "";
    if (title !== null) this.#notify(title, why);
  }

  /**
   * @param {string} title
   * @param {string} why a sentence, or nothing
   */
  #notify(title, why = "") {
    const text = `${why} The call goes on.`.trim();
    this.#notices.show(KIND, { title, text, action: null }, { dismissable: true });
  }

  /** @param {boolean|null} on */
  #show(on) {
    this.#on = on;
    this.#sign.hidden = !on;
    if (!on) this.#onHidden();
  }
}

/**
 * The news about the recording, unless the caller knows it already.
 * @param {boolean|null} before whether the call was recorded; null: the server had not said
 * @param {boolean} on whether it is
 * @param {boolean} asked whether it was to be
 * @returns {string|null}
 */
export function news(before, on, asked) {
  if (on || before === false || (before === null && !asked)) return null;
  return before ? "The recording has ended" : "This call is not recorded";
}

/** @param {import("../call/recording_choice.js").Recording} server */
function words({ calls, needs_consent: needsConsent }) {
  if (needsConsent) return `A call is recorded only if you agree: ${WHAT}.`;
  if (calls === "asked") return `A call can be recorded: ${WHAT}.`;
  return `Calls are recorded: ${WHAT}.`;
}
