// The page before a call: the server's agents, and which model answers.

import { callFailedNotice, NO_WEBRTC } from "../call/errors.js";
import { Signalling, tokenFrom } from "../call/signalling.js";
import { backendLabel, displayName } from "./backend_label.js";
import { byId } from "./elements.js";
import { Notices } from "./notices.js";

const POLL_MS = 1_500;
const CALL_BUTTONS = "#call, #call-voice, #other-thread, #lobby-asks button";

/**
 * @typedef {import("../call/signalling.js").Info} Info
 * @typedef {import("../call/signalling.js").Agent} Agent
 */

export class Lobby {
  signalling = new Signalling(tokenFrom(location.hash));
  /** @type {string|null} the id of the chosen agent; null: the server names none */
  agent = null;
  /** @type {string[]} the voices that a caller of that agent may choose from */
  voices = [];
  notices = new Notices(byId("lobby-notices"));
  /** @type {Info|null} */
  #info = null;
  #preferred;
  #onAgent;
  #recording;

  /**
   * @param {string|null} preferred the agent that is chosen first, if the server has it
   * @param {() => void} onAgent an agent was chosen
   * @param {import("./recording.js").Recording} recording
   */
  constructor(preferred, onAgent, recording) {
    this.#preferred = preferred;
    this.#onAgent = onAgent;
    this.#recording = recording;
  }

  /** Asks the server for its agents until it is ready. */
  open() {
    byId("unloaded").remove();
    if (!("RTCPeerConnection" in window)) {
      this.notices.show("browser", NO_WEBRTC);
      return;
    }
    disableCalls(false); // The document disables them until a click is listened to.
    byId("agent").addEventListener("change", () => {
      if (this.#info) this.#showAgent(this.#info);
    });
    addEventListener("hashchange", () => {
      this.signalling = new Signalling(tokenFrom(location.hash));
      this.#poll();
    });
    this.#poll();
  }

  /**
   * What the server says about itself; asks now if it has not answered yet.
   * @throws {Error} one of call/errors.js
   */
  async server() {
    return this.#info ?? this.#fetchInfo();
  }

  /** The caller has dialled. */
  leave() {
    this.notices.clearAll();
    this.#recording.settle();
  }

  /** @param {import("../call/preferences.js").Preferences} preferences */
  beginCall(preferences) {
    const chosen = preferences.optionsOfCall(this.voices);
    this.signalling.options = { ...chosen, ...this.#recording.options };
  }

  /** Asks the server again: after a call it may be another one, or record other calls. */
  refresh() {
    this.#fetchInfo().catch(() => {}); // unreachable: the next call says so
  }

  async #fetchInfo() {
    const info = await this.signalling.info();
    this.#info = info;
    this.notices.clear("info");
    this.#recording.offer(info.recording);
    this.#listAgents(info.agents ?? []);
    this.#showAgent(info);
    return info;
  }

  async #poll() {
    let info;
    try {
      info = await this.#fetchInfo();
    } catch (error) {
      this.notices.show("info", callFailedNotice(error), { onAction: () => this.#poll() });
      return;
    }
    const starting = info.ready === false;
    disableCalls(starting);
    if (!starting) return;
    byId("brain-text").textContent = "The agent is starting…";
    setTimeout(() => this.#poll(), POLL_MS);
  }

  /** @param {(Agent & {id: string})[]} agents */
  #listAgents(agents) {
    byId("agent-choice").hidden = agents.length < 2;
    const select = /** @type {HTMLSelectElement} */ (byId("agent"));
    const before = this.agent ?? this.#preferred;
    select.replaceChildren(
      ...agents.map(({ id, agent, description }) => {
        const option = new Option(displayName(agent ?? id), id);
        option.title = description ?? "";
        return option;
      }),
    );
    if (before !== null && agents.some(({ id }) => id === before)) select.value = before;
  }

  /** @param {Info} info */
  #showAgent(info) {
    const chosen = /** @type {HTMLSelectElement} */ (byId("agent")).value;
    const agent = info.agents?.find(({ id }) => id === chosen) ?? info;
    this.agent = agent.id ?? null;
    this.voices = agent.voices ?? [];
    const { kind, label, text } = backendLabel(agent);
    const backend = byId("brain");
    backend.textContent = label;
    backend.dataset.kind = kind;
    backend.title = text;
    backend.hidden = false;
    byId("brain-text").textContent = text;
    if (agent.agent) byId("agent-name").textContent = document.title = displayName(agent.agent);
    this.notices.clear("misfits");
    const said = [...(agent.notes ?? []), ...(agent.misfits ?? [])];
    if (said.length) {
      const title = agent.misfits?.length
        ? "Not all of this agent works in a call"
        : "Not all of this is known to work";
      this.notices.show("misfits", { title, text: said.join(" "), action: null });
    }
    this.#onAgent();
  }
}

/** @param {boolean} disabled */
function disableCalls(disabled) {
  /** @type {NodeListOf<HTMLButtonElement>} */
  const buttons = document.querySelectorAll(CALL_BUTTONS);
  for (const button of buttons) button.disabled = disabled;
}
