// What stands there before a call: which server, which brain, and which of several agents to call.

import { agentWords, brainWords } from "./brain.js";
import { Notices } from "./notices.js";
import { NO_WEBRTC, callProblem, misfitsProblem } from "../call/problems.js";
import { Signalling, tokenFrom } from "../call/signalling.js";

const INFO_AGAIN_MS = 1_500;
/**
 * @typedef {import("./brain.js").Agent & {id?: string, agents?: (import("./brain.js").Agent &
 *   {id: string})[], ice_servers?: RTCIceServer[], ready?: boolean}} Info
 */

const CALLING = "#call, #call-voice, #other-thread, #lobby-asks button";

export class Lobby {
  /** To the server the page came from. */
  signalling = new Signalling(tokenFrom(location.hash));
  /** @type {string|null} the server's id of the chosen agent; null if it names none */
  agent = null;
  #root;
  /** @type {Info|null} */
  #info = null;
  #wanted;
  #onAgent;

  /**
   * @param {HTMLElement} root holds the buttons that call, and the choice of agents
   * @param {{wanted: string|null, onAgent: () => void}} choice wanted: the agent that is chosen
   *   first, if the server still has it; `onAgent` is called when another one is chosen
   */
  constructor(root, { wanted, onAgent }) {
    this.#root = root;
    this.#wanted = wanted;
    this.#onAgent = onAgent;
    this.notices = new Notices(this.#at("#lobby-notices"));
  }

  /** Asks the server what it has, and again until it is ready. */
  open() {
    if (!("RTCPeerConnection" in window)) {
      this.notices.show("browser", NO_WEBRTC);
      this.#disable(true);
      return;
    }
    this.#at("#agent").addEventListener("change", () => {
      if (this.#info) this.#showAgent(this.#info);
    });
    addEventListener("hashchange", () => {
      this.signalling = new Signalling(tokenFrom(location.hash));
      this.#ask();
    });
    this.#ask();
  }

  /** What the server says of itself; asked now if it hasn't been heard yet. */
  async server() {
    return this.#info ?? this.#learn();
  }

  /** @returns {Promise<Info>} */
  async #learn() {
    const info = await this.signalling.info();
    this.#info = info;
    this.notices.clear("info");
    this.#showAgents(info.agents ?? []);
    this.#showAgent(info);
    return info;
  }

  async #ask() {
    let info;
    try {
      info = await this.#learn();
    } catch (error) {
      this.notices.show("info", callProblem(error), { onAction: () => this.#ask() });
      return;
    }
    const starting = info.ready === false;
    this.#disable(starting);
    if (!starting) return;
    this.#at("#brain-text").textContent = "The agent is starting…";
    setTimeout(() => this.#ask(), INFO_AGAIN_MS);
  }

  /**
   * Several agents live here: the person chooses.
   * @param {(import("./brain.js").Agent & {id: string})[]} agents
   */
  #showAgents(agents) {
    this.#at("#agent-choice").hidden = agents.length < 2;
    const choice = this.#at("#agent");
    const before = this.agent ?? this.#wanted;
    choice.replaceChildren(
      ...agents.map(({ id, agent, description }) => {
        const option = new Option(agentWords(agent ?? id), id);
        option.title = description ?? "";
        return option;
      }),
    );
    if (agents.some(({ id }) => id === before)) choice.value = before;
  }

  /** @param {Info} info */
  #showAgent(info) {
    const chosen = this.#at("#agent").value;
    const agent = info.agents?.find(({ id }) => id === chosen) ?? info;
    this.agent = agent.id ?? null;
    const { kind, label, text } = brainWords(agent);
    const brain = /** @type {HTMLElement} */ (document.getElementById("brain"));
    brain.textContent = label;
    brain.dataset.kind = kind;
    brain.title = text;
    brain.hidden = false;
    this.#at("#brain-text").textContent = text;
    if (agent.agent) {
      document.title = agentWords(agent.agent);
      const name = /** @type {HTMLElement} */ (document.getElementById("agent-name"));
      name.textContent = document.title;
    }
    this.notices.clear("misfits");
    if (agent.misfits?.length) this.notices.show("misfits", misfitsProblem(agent.misfits));
    this.#onAgent();
  }

  /** @param {boolean} disabled */
  #disable(disabled) {
    /** @type {NodeListOf<HTMLButtonElement>} */
    const buttons = this.#root.querySelectorAll(CALLING);
    for (const button of buttons) button.disabled = disabled;
  }

  /** @param {string} selector @returns {any} an element of index.html */
  #at(selector) {
    return this.#root.querySelector(selector);
  }
}
