// The transcript of both sides, while they speak.

import { element } from "./elements.js";

const MAX_LINES = 300; // an hour of conversation; older lines are no longer shown
const MAX_SAID = 10_000; // more than a day of conversation; of older lines no transcript is made
const NEAR_BOTTOM_PX = 80;

/** Why an answer was cut short, in the words that follow it. */
export const CAUSE = Object.freeze({
  caller: "you interrupted",
  hungUp: "you hung up",
  lost: "the connection was lost",
  ended: "the call ended",
});

/**
 * @typedef {"user"|"agent"|"tool"|"note"|"error"} LineKind
 * @typedef {{who: string, text: string, agent?: string}} EarlierLine of an earlier call
 */

export class Captions {
  #list;
  #announcer;
  /** @type {{line: HTMLElement, atMs: number|null}[]} what was said, shown or not */
  #said = [];
  /** The name of the called agent: the page's title at the first word. */
  calledName = "";
  /** @type {HTMLElement|null} the agent's line that is being written */
  #agentLine = null;
  /** @type {HTMLElement|null} the line of the current answer, until its turn is complete */
  #answerLine = null;
  /** @type {HTMLElement|null} the caller's line that is being written */
  #userLine = null;
  /** @type {string} why the current answer would be cut short */
  #cause = CAUSE.caller;
  /**
   * The last line when the caller began to speak; null: there was none; undefined: the caller has
   * not begun.
   * @type {Element|null|undefined}
   */
  #spokeAfter;
  /** Where the caller's words belong in what was said, and when they began. */
  #spoke = { index: 0, atMs: 0 };
  /** @type {number|null} the age of the frame that goes with the caller's line */
  #frameAgeMs = null;
  /** @type {Map<string, HTMLElement>} the lines of running tools, by call id */
  #tools = new Map();
  #agentName = "Agent";

  /**
   * @param {HTMLElement} list an <ol>; each line becomes an <li>
   * @param {HTMLElement} announcer a polite live region. It gets finished lines only: a screen
   *   reader that reads every word as it arrives talks over the agent.
   */
  constructor(list, announcer) {
    this.#list = list;
    this.#announcer = announcer;
    // Keeps the newest line in sight when a phone's keyboard takes half the height.
    let atBottom = true;
    list.addEventListener("scroll", () => (atBottom = this.#isAtBottom()));
    new ResizeObserver(() => atBottom && this.#scrollDown()).observe(list);
  }

  clear() {
    this.#list.replaceChildren();
    this.#said = [];
    this.#announcer.textContent = "";
    this.#agentLine = this.#answerLine = this.#userLine = null;
    this.#cause = CAUSE.caller;
    this.#spokeAfter = undefined;
    this.#frameAgeMs = null;
    this.#tools.clear();
    this.#agentName = "Agent";
  }

  /** Whether neither side has said anything; notes do not count. */
  get isEmpty() {
    return this.#said.length === 0;
  }

  /**
   * What both sides said, in the order in which they began, including what is no longer shown.
   * @returns {import("./transcript.js").SaidLine[]}
   */
  get said() {
    return this.#said
      .filter(({ line }) => line.dataset.state !== "refused")
      .map(({ line, atMs }) => ({
        who: line.querySelector(".who")?.textContent ?? "",
        text: this.#textOf(line),
        typed: Boolean(line.dataset.typed),
        cut: line.querySelector(".cut")?.textContent?.trim() ?? "",
        atMs,
      }));
  }

  /** @param {string} name the ADK name of the agent that speaks from now on */
  agentSpeaks(name) {
    this.#agentName = sentence(name);
  }

  /** @param {EarlierLine[]} lines what was said in earlier calls of this conversation */
  restore(lines) {
    for (const { who, text, agent } of lines) {
      if (agent) this.agentSpeaks(agent);
      const line = this.#add(who === "user" ? "user" : "agent");
      this.#write(line, text);
      this.#said[this.#said.length - 1].atMs = null;
      if (who === "user")
        line.dataset.typed = ""; // the server does not keep whether it was typed
      else line.dataset.state = "final";
    }
  }

  /**
   * Ends every unfinished line.
   * @param {string} cause one of CAUSE
   */
  breakOff(cause) {
    if (this.#agentLine) this.#cut(this.#agentLine, cause);
    this.#agentLine = this.#answerLine = this.#userLine = null;
    this.#spokeAfter = undefined;
    for (const id of [...this.#tools.keys()]) this.toolStopped(id, true);
  }

  /** If the current answer does not continue, the caller did not interrupt it. */
  connectionLost() {
    if (this.#agentLine) this.#cause = CAUSE.lost;
  }

  /** The caller began to speak. Their words belong here, however late the transcript arrives. */
  userStarted() {
    this.#cause = CAUSE.caller;
    this.#spokeAfter = this.#list.lastElementChild;
    this.#spoke = { index: this.#said.length, atMs: Date.now() };
    this.#frameAgeMs = null;
  }

  /**
   * @param {string} text the whole utterance if final; else its next piece, or all of it so far
   * @param {boolean} final
   */
  user(text, final) {
    if (this.#userLine === null) {
      if (!text.trim()) return;
      this.#userLine = this.#add("user", this.#spokeAfter);
      this.#spokeAfter = undefined;
    }
    const line = this.#userLine;
    const before = this.#textOf(line);
    this.#write(line, final || text.startsWith(before) ? text : joined(before, text));
    this.#noteFrame(line);
    if (!final) return;
    this.#userLine = null;
    this.announce(`You: ${text}`);
  }

  /**
   * @param {string} text
   * @param {string} [id] of the message that carries it
   */
  typed(text, id = "") {
    this.#cause = CAUSE.caller;
    const line = this.#add("user");
    line.dataset.typed = id;
    this.#write(line, text);
  }

  /**
   * Marks a typed line that the server did not take.
   * @param {string|undefined} id of the message that the server refused
   * @param {string} reason
   * @returns {string|null} the line's text; null: the message carried no typed line
   */
  refuse(id, reason) {
    const lines = /** @type {HTMLElement[]} */ ([...this.#list.children]);
    const line = lines.find(
      ({ dataset }) => id && dataset.typed === id && dataset.state !== "refused",
    );
    if (!line) return null;
    line.dataset.state = "refused";
    line.append(element("span", "cut", `Not sent. ${reason}`));
    this.announce(reason);
    return this.#textOf(line);
  }

  /** @param {string} delta the next piece of the answer */
  agentDelta(delta) {
    if (this.#agentLine?.dataset.state === "interrupted") this.#agentLine = null;
    this.#agentLine ??= this.#answerLine = this.#add("agent");
    this.#write(this.#agentLine, joined(this.#textOf(this.#agentLine), delta));
  }

  /** @param {string} text the whole answer, or the part that was played */
  agentFinal(text) {
    const line = this.#agentLine ?? (text.trim() ? this.#add("agent") : null);
    this.#agentLine = null;
    if (line === null) return;
    this.#answerLine = line;
    if (text.trim()) this.#write(line, text.trim());
    if (line.dataset.state !== "interrupted") line.dataset.state = "final";
    this.announce(`${this.#agentName}: ${this.#textOf(line)}`);
  }

  /**
   * The agent was interrupted. All the words of its answer may be here already, because text
   * arrives faster than its sound is played.
   * @param {string} [played] the words that were played
   */
  interrupted(played) {
    const line = this.#agentLine ?? this.#answerLine;
    if (!line) return;
    this.#cut(line, this.#cause);
    this.#cause = CAUSE.caller;
    if (played !== undefined) this.#write(line, played || "…");
  }

  /** The answer can no longer be interrupted. */
  turnComplete() {
    this.#answerLine = null;
    this.#cause = CAUSE.caller;
  }

  /**
   * The model was sent a frame of the time when the caller stopped speaking.
   * @param {number} ageMs how old the frame was then
   */
  frameSentAtSpeechEnd(ageMs) {
    this.#frameAgeMs = ageMs;
    if (this.#userLine) this.#noteFrame(this.#userLine);
  }

  /**
   * @param {string} id of the tool call
   * @param {string|undefined} name of the tool; may come with a later message
   */
  toolStarted(id, name) {
    const known = this.#tools.get(id);
    if (known) {
      if (name) this.#write(known, sentence(name));
      return;
    }
    const line = this.note(sentence(name), "tool");
    line.dataset.state = "running";
    this.#tools.set(id, line);
  }

  /**
   * @param {string} id
   * @param {boolean} cancelled
   */
  toolStopped(id, cancelled) {
    const line = this.#tools.get(id);
    if (!line) return;
    this.#tools.delete(id);
    line.dataset.state = cancelled ? "cancelled" : "final";
  }

  /**
   * Adds a line that neither side said.
   * @param {string} text
   * @param {LineKind} kind
   */
  note(text, kind = "note") {
    const line = this.#add(kind);
    this.#write(line, text);
    if (kind === "error") this.announce(text);
    return line;
  }

  /** @param {string} text for a screen reader */
  announce(text) {
    this.#announcer.textContent = text;
  }

  /**
   * @param {HTMLElement} line
   * @param {string} cause
   */
  #cut(line, cause) {
    if (line.dataset.state === "interrupted") return;
    line.dataset.state = "interrupted";
    line.append(element("span", "cut", ` (${cause})`));
  }

  /** @param {HTMLElement} line */
  #noteFrame(line) {
    const ageMs = this.#frameAgeMs;
    if (ageMs === null) return;
    const old = ageMs < 1_000 ? "" : `, ${(ageMs / 1_000).toFixed(1)} s old`;
    const note = element("span", "look", `Looked at your picture${old}`);
    note.title = `${Math.round(ageMs)} ms old when you stopped speaking`;
    line.append(note);
    this.#frameAgeMs = null;
  }

  /**
   * @param {LineKind} kind
   * @param {Element|null} [after] null: before all others; undefined: at the end
   */
  #add(kind, after) {
    const line = element("li", `line line-${kind}`);
    if (kind === "user" || kind === "agent") {
      if (this.isEmpty) this.calledName = document.title;
      const now = { index: this.#said.length, atMs: Date.now() };
      const { index, atMs } = after === undefined ? now : this.#spoke;
      this.#said.splice(index, 0, { line, atMs });
      if (this.#said.length > MAX_SAID) this.#said.shift();
      line.append(element("span", "who", kind === "user" ? "You" : this.#agentName));
    }
    const words = element("span", "text");
    words.dir = "auto"; // Hebrew and Arabic run from the right
    line.append(words);
    const pinned = this.#isAtBottom();
    if (after === undefined) this.#list.append(line);
    else if (after === null) this.#list.prepend(line);
    else after.after(line);
    while (this.#list.childElementCount > MAX_LINES) this.#list.firstElementChild?.remove();
    if (pinned) this.#scrollDown();
    return line;
  }

  /**
   * @param {HTMLElement} line
   * @param {string} text
   */
  #write(line, text) {
    const pinned = this.#isAtBottom();
    textElement(line).textContent = text;
    if (pinned) this.#scrollDown();
  }

  /** @param {HTMLElement} line */
  #textOf(line) {
    return textElement(line).textContent ?? "";
  }

  // Nothing scrolls for a caller who has scrolled up to read.
  #isAtBottom() {
    const { scrollTop, scrollHeight, clientHeight } = this.#list;
    return scrollHeight - scrollTop - clientHeight < NEAR_BOTTOM_PX;
  }

  #scrollDown() {
    this.#list.scrollTop = this.#list.scrollHeight;
  }
}

/** @param {HTMLElement} line */
function textElement(line) {
  return /** @type {HTMLElement} */ (line.querySelector(".text"));
}

/**
 * Appends a piece of an answer. Models send spaces within a sentence, but often none between two
 * sentences.
 * @param {string} text
 * @param {string} delta
 */
export function joined(text, delta) {
  const glued = /[.!?…]$/.test(text) && /^\p{L}/u.test(delta);
  return text + (glued ? " " : "") + delta;
}

/**
 * `look_closely` → "Look closely"
 * @param {string} [name]
 */
function sentence(name) {
  const words = String(name ?? "a tool")
    .replace(/[_-]+/g, " ")
    .trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
