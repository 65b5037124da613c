// The lobby's buttons that call: with or without a camera, resuming the last conversation or not.

import { byId } from "./elements.js";

/**
 * @typedef {object} Dialling
 * @property {boolean} withCamera
 * @property {boolean} resume continues the last conversation, if there is one
 * @property {string} [question] sent as soon as the agent listens
 */

export class CallButtons {
  /** The label of the call button if there is no conversation to resume. */
  label = "Call";
  #resumeToken;
  #agent;

  /**
   * @param {import("../call/resume_token.js").ResumeToken} resumeToken
   * @param {() => string|null} agent whom the caller has chosen
   * @param {(how: Dialling) => void} dial
   */
  constructor(resumeToken, agent, dial) {
    this.#resumeToken = resumeToken;
    this.#agent = agent;
    const resume = () => this.#resumesByDefault;
    byId("call").addEventListener("click", () => dial({ withCamera: true, resume: resume() }));
    byId("call-voice").addEventListener("click", () =>
      dial({ withCamera: false, resume: resume() }),
    );
    byId("other-thread").addEventListener("click", () =>
      dial({ withCamera: true, resume: !resume() }),
    );
    for (const example of byId("lobby-asks").querySelectorAll("button")) {
      const question = example.textContent ?? "";
      example.addEventListener("click", () =>
        dial({ withCamera: true, resume: resume(), question }),
      );
    }
  }

  show() {
    const resumes = this.#resumesByDefault;
    byId("call-words").textContent = resumes ? "Continue" : this.label;
    byId("other-thread").textContent = resumes ? "Start anew" : "Continue the conversation";
    byId("other-thread").hidden = !this.#canResume;
  }

  /** Whether the call button resumes the last conversation; the button beside it does the opposite. */
  get #resumesByDefault() {
    return this.#canResume && !this.#resumeToken.hungUp;
  }

  get #canResume() {
    return this.#resumeToken.valid(Date.now(), this.#agent()) !== null;
  }
}
