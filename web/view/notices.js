// Cards that say what is wrong and what can be done about it.

import { button, element, icon } from "./elements.js";

export class Notices {
  #region;
  /** @type {Map<string, HTMLElement>} */
  #cards = new Map();
  #onRemoved;

  /**
   * @param {HTMLElement} region with role="alert", so that new cards are read out
   * @param {() => void} onRemoved a card was removed, perhaps with the focus in it
   */
  constructor(region, onRemoved = () => {}) {
    this.#region = region;
    this.#onRemoved = onRemoved;
  }

  /**
   * @param {string} kind there is one card of each kind; a new one replaces the old
   * @param {import("../call/errors.js").Notice} notice
   * @param {{onAction?: () => void, dismissable?: boolean, leftS?: number|null}} options without
   *   onAction there is no button for the action; leftS: seconds to count down
   */
  show(kind, { title, text, action }, { onAction, dismissable = false, leftS = null } = {}) {
    this.clear(kind);
    const card = element("div", "notice");
    card.dataset.kind = kind;
    const heading = element("strong", "", title);
    const body = element("div");
    body.append(heading, element("p", "", text));
    card.append(icon("alert"), body);
    if (leftS !== null) countDown(card, heading, leftS);
    const buttons = element("div", "notice-buttons");
    if (action && onAction) buttons.append(button(action, onAction, "small"));
    if (dismissable) buttons.append(button("Dismiss", () => this.clear(kind), "small quiet"));
    if (buttons.childElementCount) body.append(buttons);
    this.#cards.set(kind, card);
    this.#region.append(card);
  }

  /** @param {string} kind */
  clear(kind) {
    const card = this.#cards.get(kind);
    if (!card) return;
    this.#cards.delete(kind);
    card.remove();
    this.#onRemoved();
  }

  clearAll() {
    for (const kind of [...this.#cards.keys()]) this.clear(kind);
  }
}

/**
 * @param {HTMLElement} card
 * @param {HTMLElement} heading
 * @param {number} leftS
 */
function countDown(card, heading, leftS) {
  const left = element("time");
  left.setAttribute("aria-hidden", "true"); // a screen reader would read every second
  const endMs = performance.now() + leftS * 1_000;
  const show = () => {
    const seconds = Math.max(0, Math.round((endMs - performance.now()) / 1_000));
    left.textContent = ` ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  };
  show();
  const timer = setInterval(() => (card.isConnected ? show() : clearInterval(timer)), 1_000);
  heading.append(left);
}
