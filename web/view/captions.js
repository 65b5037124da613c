// What both sides said, as it is said.

import { element } from "./elements.js";

const MAX_LINES = 300; // an hour of talk; older lines go
const NEAR_BOTTOM_PX = 80;

/** Why an answer was cut short, as it is written behind it. */
export const CAUSE = Object.freeze({
  caller: "you interrupted",
  hungUp: "you hung up",
  lost: "the connection was lost",
  ended: "the call ended",
});

export class Captions {
  #list;
  #announcer;
  /** @type {HTMLElement|null} */
  #agentLine = null;
  /**
   * The line of the answer that is being given, until its turn is complete.
   * @type {HTMLElement|null}
   */
  #answerLine = null;
  /** @type {HTMLElement|null} */
  #userLine = null;
  /** Why the answer that is being given would break off. @type {string} */
  #cause = CAUSE.caller;
  /**
   * The line after which the person began to speak; undefined: nothing said since the last line.
   * @type {Element|null|undefined}
   */
  #spokeAfter;
  /** @type {number|null} */
  #lookedMs = null;
  #tools = new Map();
  #agentName = "Agent";

  /**
   * @param {HTMLElement} list an <ol>; each line becomes an <li>
   * @param {HTMLElement} announcer a polite live region: finished lines only, because a screen
   *   reader that reads every word as it arrives talks over the agent
   */
  constructor(list, announcer) {
    this.#list = list;
    this.#announcer = announcer;
    // A phone's keyboard takes half the height: the newest line stays in sight.
    let atBottom = true;
    list.addEventListener("scroll", () => (atBottom = this.#isAtBottom()));
    new ResizeObserver(() => atBottom && this.#scrollDown()).observe(list);
  }

  clear() {
    this.#list.replaceChildren();
    this.#announcer.textContent = "";
    this.#agentLine = this.#answerLine = this.#userLine = null;
    this.#cause = CAUSE.caller;
    this.#spokeAfter = undefined;
    this.#lookedMs = null;
    this.#tools.clear();
    this.#agentName = "Agent";
  }

  /** Nothing has been said, whatever was noted. */
  get isEmpty() {
    return this.#list.querySelector(".line-user, .line-agent") === null;
  }

  /** @param {string} name the agent whose words follow, as its developer called it */
  agentSpeaks(name) {
    this.#agentName = sentence(name);
  }

  /**
   * What was said in earlier calls of this conversation.
   * @param {{who: string, text: string, agent?: string}[]} lines
   */
  restore(lines) {
    for (const { who, text, agent } of lines) {
      if (agent) this.agentSpeaks(agent);
      const line = this.#add(who === "user" ? "user" : "agent");
      this.#write(line, text);
      if (who === "user") line.dataset.typed = ""; // perhaps: nobody kept whether it was
      else line.dataset.state = "final";
    }
  }

  /** The call broke off: whatever was being said goes no further. @param {string} cause */
  breakOff(cause) {
    if (this.#agentLine) this.#cut(this.#agentLine, cause);
    this.#agentLine = this.#answerLine = this.#userLine = null;
    this.#spokeAfter = undefined;
    for (const id of [...this.#tools.keys()]) this.toolStopped(id, true);
  }

  /** An answer that does not go on after this was not interrupted by the person. */
  connectionLost() {
    if (this.#agentLine) this.#cause = CAUSE.lost;
  }

  /** The person began to speak: this is where their words belong, however late they arrive. */
  userStarted() {
    this.#cause = CAUSE.caller;
    this.#spokeAfter = this.#list.lastElementChild;
    this.#lookedMs = null;
  }

  /** @param {string} text the whole utterance if final; else its next piece, or all there is yet */
  user(text, final) {
    if (this.#userLine === null) {
      if (!text.trim()) return;
      this.#userLine = this.#add("user", this.#spokeAfter);
      this.#spokeAfter = undefined;
    }
    const line = this.#userLine;
    const before = this.#textOf(line);
    this.#write(line, final || text.startsWith(before) ? text : joined(before, text));
    this.#noteLook(line);
    if (!final) return;
    this.#userLine = null;
    this.#announce("You", text);
  }

  /** @param {string} text @param {string} [id] of the message that carries it */
  typed(text, id = "") {
    this.#cause = CAUSE.caller;
    const line = this.#add("user");
    line.dataset.typed = id;
    this.#write(line, text);
  }

  /**
   * The server did not take a message.
   * @param {string|undefined} id the message's
   * @param {string} why
   * @returns {string|null} the typed line that it carried; null: it carried none
   */
  refused(id, why) {
    const isIt = (line) => line.dataset.typed === id && line.dataset.state !== "refused";
    const lines = /** @type {HTMLElement[]} */ ([...this.#list.children]);
    const line = id ? lines.find(isIt) : undefined;
    if (!line) return null;
    line.dataset.state = "refused";
    line.append(element("span", "cut", `Not sent. ${why}`));
    this.#announcer.textContent = why;
    return this.#textOf(line);
  }

  /** @param {string} delta the next piece of the answer */
  agentDelta(delta) {
    if (this.#agentLine?.dataset.state === "interrupted") this.#agentLine = null;
    this.#agentLine ??= this.#answerLine = this.#add("agent");
    this.#write(this.#agentLine, joined(this.#textOf(this.#agentLine), delta));
  }

  /** @param {string} text the whole answer, or what was said of it */
  agentFinal(text) {
    const line = this.#agentLine ?? (text.trim() ? this.#add("agent") : null);
    this.#agentLine = null;
    if (line === null) return;
    this.#answerLine = line;
    if (text.trim()) this.#write(line, text.trim());
    if (line.dataset.state !== "interrupted") line.dataset.state = "final";
    this.#announce(this.#agentName, this.#textOf(line));
  }

  /**
   * Its words may all have been here already: they come faster than their sound.
   * @param {string} [heard] those that were heard
   */
  interrupted(heard) {
    const line = this.#agentLine ?? this.#answerLine;
    if (!line) return;
    this.#cut(line, this.#cause);
    this.#cause = CAUSE.caller;
    if (heard !== undefined) this.#write(line, heard || "…");
  }

  /** Nothing of the answer can be interrupted any more. */
  turnComplete() {
    this.#answerLine = null;
    this.#cause = CAUSE.caller;
  }

  /** The agent has a picture of the moment the person stopped speaking. */
  looked(ageMs) {
    this.#lookedMs = ageMs;
    if (this.#userLine) this.#noteLook(this.#userLine);
  }

  toolStarted(id, name) {
    if (this.#tools.has(id)) return this.#relabel(this.#tools.get(id), name);
    const line = this.note(sentence(name), "tool");
    line.dataset.state = "running";
    this.#tools.set(id, line);
  }

  toolStopped(id, cancelled) {
    const line = this.#tools.get(id);
    if (!line) return;
    this.#tools.delete(id);
    line.dataset.state = cancelled ? "cancelled" : "final";
  }

  /** A quiet line between the spoken ones. @param {string} text */
  note(text, kind = "note") {
    const line = this.#add(kind);
    this.#write(line, text);
    if (kind === "error") this.#announcer.textContent = text;
    return line;
  }

  #cut(line, cause) {
    if (line.dataset.state === "interrupted") return;
    line.dataset.state = "interrupted";
    line.append(element("span", "cut", ` (${cause})`));
  }

  #noteLook(line) {
    if (this.#lookedMs === null) return;
    const old = this.#lookedMs < 1_000 ? "" : `, ${(this.#lookedMs / 1_000).toFixed(1)} s old`;
    const look = element("span", "look", `Looked at your picture${old}`);
    look.title = `${Math.round(this.#lookedMs)} ms old when you stopped speaking`;
    line.append(look);
    this.#lookedMs = null;
  }

  #relabel(line, name) {
    if (name) this.#write(line, sentence(name));
  }

  #add(kind, after) {
    const line = element("li", `line line-${kind}`);
    const who = { user: "You", agent: this.#agentName }[kind];
    if (who) line.append(element("span", "who", who));
    line.append(element("span", "text"));
    const pinned = this.#isAtBottom();
    if (after === undefined) this.#list.append(line);
    else if (after === null) this.#list.prepend(line);
    else after.after(line);
    while (this.#list.childElementCount > MAX_LINES) this.#list.firstElementChild?.remove();
    if (pinned) this.#scrollDown();
    return line;
  }

  #write(line, text) {
    const pinned = this.#isAtBottom();
    line.querySelector(".text").textContent = text;
    if (pinned) this.#scrollDown();
  }

  #textOf(line) {
    return line.querySelector(".text").textContent;
  }

  #announce(who, text) {
    this.#announcer.textContent = `${who}: ${text}`;
  }

  // Someone who scrolled up to read is left there.
  #isAtBottom() {
    const { scrollTop, scrollHeight, clientHeight } = this.#list;
    return scrollHeight - scrollTop - clientHeight < NEAR_BOTTOM_PX;
  }

  #scrollDown() {
    this.#list.scrollTop = this.#list.scrollHeight;
  }
}

/**
 * Two pieces of one answer. Models send pieces with their own spaces, but whole sentences often
 * without one between them.
 */
export function joined(text, delta) {
  const glued = /[.!?…]$/.test(text) && /^\p{L}/u.test(delta);
  return text + (glued ? " " : "") + delta;
}

/** `look_closely` → "Look closely" */
function sentence(name) {
  const words = String(name ?? "a tool").replace(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
