// Cards that say what is wrong and what to do about it.

import { element, icon } from "./elements.js";

export class Notices {
  #place;
  /** @type {Map<string, HTMLElement>} */
  #cards = new Map();
  #onGone;

  /**
   * @param {HTMLElement} place a role="alert" region, so that new cards are read out
   * @param {() => void} onGone a card was removed, perhaps with the focus in it
   */
  constructor(place, onGone = () => {}) {
    this.#place = place;
    this.#onGone = onGone;
  }

  /**
   * @param {string} kind one card per kind; a new one takes the place of the old
   * @param {import("../call/problems.js").Problem} problem
   * @param {{onAction?: () => void, dismissable?: boolean, leftS?: number}} options no button
   *   without onAction; `leftS` seconds are counted down
   */
  show(kind, { title, text, action }, { onAction, dismissable = false, leftS } = {}) {
    this.clear(kind);
    const card = element("div", "notice");
    card.dataset.kind = kind;
    const heading = element("strong", "", title);
    const words = element("div");
    words.append(heading, element("p", "", text));
    card.append(icon("alert"), words);
    if (leftS !== undefined && leftS !== null) countDown(card, heading, leftS);
    const buttons = element("div", "notice-buttons");
    if (action && onAction) buttons.append(button(action, onAction));
    if (dismissable) buttons.append(button("Dismiss", () => this.clear(kind), "quiet"));
    if (buttons.childElementCount) words.append(buttons);
    this.#cards.set(kind, card);
    this.#place.append(card);
  }

  /** @param {string} kind */
  clear(kind) {
    const card = this.#cards.get(kind);
    if (!card) return;
    this.#cards.delete(kind);
    card.remove();
    this.#onGone();
  }

  clearAll() {
    for (const kind of [...this.#cards.keys()]) this.clear(kind);
  }
}

function countDown(card, heading, leftS) {
  const left = element("time");
  left.setAttribute("aria-hidden", "true"); // a screen reader would say every second
  const untilMs = performance.now() + leftS * 1_000;
  const show = () => {
    const seconds = Math.max(0, Math.round((untilMs - performance.now()) / 1_000));
    left.textContent = ` ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  };
  show();
  const timer = setInterval(() => (card.isConnected ? show() : clearInterval(timer)), 1_000);
  heading.append(left);
}

function button(words, onClick, className = "") {
  const made = element("button", `small ${className}`, words);
  made.type = "button";
  made.addEventListener("click", onClick);
  return made;
}
