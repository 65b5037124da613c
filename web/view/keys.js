// The keys of a call.

// In these, a key types or presses.
const INTERACTIVE = "input, textarea, select, button, a, dialog, [contenteditable]";

/**
 * Single letters work while the focus is on the stage, and nowhere else: speech input and typing
 * produce them too (WCAG 2.1.4). Space talks wherever it types and presses nothing.
 * @param {HTMLElement} stage
 * @param {Record<"microphone"|"camera"|"hang-up", () => void>} actions M, V and Shift+H; index.html
 *   names them in aria-keyshortcuts
 * @param {import("../media/hold_to_talk.js").HoldToTalk} hold
 */
export function listenForKeys(stage, actions, hold) {
  stage.addEventListener("keydown", ({ key, repeat, shiftKey, altKey, ctrlKey, metaKey }) => {
    if (repeat || altKey || ctrlKey || metaKey) return;
    const letter = key.toLowerCase();
    if (letter === "m") actions.microphone();
    else if (letter === "v") actions.camera();
    else if (letter === "h" && shiftKey) actions["hang-up"]();
  });
  addEventListener("keydown", (event) => {
    if (event.key !== " " || isInteractive(event.target)) return;
    if (event.repeat || hold.press("key")) event.preventDefault(); // or the page scrolls
  });
  addEventListener("keyup", ({ key }) => {
    if (key === " ") hold.release("key");
  });
  addEventListener("blur", () => hold.stop()); // a release elsewhere is not reported
}

/** @param {EventTarget|null} target */
function isInteractive(target) {
  return target instanceof Element && target.closest(INTERACTIVE) !== null;
}
