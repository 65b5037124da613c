// Cards that say what is wrong and what to do about it.

const ICON = `<svg class="icon" aria-hidden="true"><use href="#icon-alert"/></svg>`;

export class Notices {
  #place;
  #cards = new Map();

  /** @param {HTMLElement} place a role="alert" region, so that new cards are read out */
  constructor(place) {
    this.#place = place;
  }

  /**
   * @param {string} kind one card per kind; a new one takes the place of the old
   * @param {import("./problems.js").Problem} problem
   * @param {{onAction?: () => void, dismissable?: boolean, leftS?: number}} options no button
   *   without onAction; `leftS` seconds are counted down
   */
  show(kind, { title, text, action }, { onAction, dismissable = false, leftS } = {}) {
    this.clear(kind);
    const card = document.createElement("div");
    card.className = "notice";
    card.dataset.kind = kind;
    card.innerHTML = `${ICON}<div><strong></strong><p></p></div>`;
    card.querySelector("strong").textContent = title;
    card.querySelector("p").textContent = text;
    if (leftS !== undefined) this.#countDown(card, leftS);
    const buttons = document.createElement("div");
    buttons.className = "notice-buttons";
    if (action && onAction) buttons.append(button(action, onAction));
    if (dismissable) buttons.append(button("Dismiss", () => this.clear(kind), "quiet"));
    if (buttons.childElementCount) card.lastElementChild.append(buttons);
    this.#cards.set(kind, card);
    this.#place.append(card);
  }

  clear(kind) {
    this.#cards.get(kind)?.remove();
    this.#cards.delete(kind);
  }

  #countDown(card, leftS) {
    const left = document.createElement("time");
    left.setAttribute("aria-hidden", "true"); // a screen reader would say every second
    const untilMs = performance.now() + leftS * 1_000;
    const show = () => {
      if (timer && !card.isConnected) clearInterval(timer);
      const seconds = Math.max(0, Math.round((untilMs - performance.now()) / 1_000));
      left.textContent = ` ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    };
    let timer = null;
    show();
    timer = setInterval(show, 1_000);
    card.querySelector("strong").append(left);
  }

  clearAll() {
    for (const kind of [...this.#cards.keys()]) this.clear(kind);
  }
}

function button(words, onClick, className = "") {
  const made = document.createElement("button");
  made.type = "button";
  made.className = `small ${className}`;
  made.textContent = words;
  made.addEventListener("click", onClick);
  return made;
}
