// The keys of a call.

// In these, a key types or presses.
const INTERACTIVE = "input, textarea, select, button, a, dialog, [contenteditable]";

/**
 * @typedef {object} KeyListener
 * @property {(control: "microphone"|"camera"|"hang-up") => void} onControl M, V or Shift+H; index.html
 *   names them in aria-keyshortcuts
 * @property {() => boolean} onTalkKey Space was pressed; false: it has its usual meaning
 * @property {() => void} onTalkKeyUp
 */

/**
 * Single letters work while the focus is on the stage, and nowhere else: speech input and typing
 * produce them too (WCAG 2.1.4). Space talks wherever it types and presses nothing.
 * @param {HTMLElement} stage
 * @param {KeyListener} listener
 */
export function listenForKeys(stage, { onControl, onTalkKey, onTalkKeyUp }) {
  stage.addEventListener("keydown", ({ key, repeat, shiftKey, altKey, ctrlKey, metaKey }) => {
    if (repeat || altKey || ctrlKey || metaKey) return;
    const letter = key.toLowerCase();
    if (letter === "m") onControl("microphone");
    else if (letter === "v") onControl("camera");
    else if (letter === "h" && shiftKey) onControl("hang-up");
  });
  addEventListener("keydown", (event) => {
    if (event.key !== " " || isInteractive(event.target)) return;
    if (event.repeat || onTalkKey()) event.preventDefault(); // or the page scrolls
  });
  addEventListener("keyup", ({ key }) => {
    if (key === " ") onTalkKeyUp();
  });
}

/** @param {EventTarget|null} target */
function isInteractive(target) {
  return target instanceof Element && target.closest(INTERACTIVE) !== null;
}
