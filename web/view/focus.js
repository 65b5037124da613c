// Keeps the keyboard focus. When a button hides itself, or a card is dismissed, the browser moves
// the focus to the top of the document, and a screen reader goes there with it.

/**
 * @param {() => HTMLElement} fallback where the focus goes if the focused element is gone
 * @returns {() => void} to be called after something was hidden or removed
 */
export function focusKeeper(fallback) {
  /** @type {Element|null} */
  let last = null;
  document.addEventListener("focusin", ({ target }) => (last = /** @type {Element} */ (target)));
  document.addEventListener("focusout", ({ relatedTarget, target }) => {
    if (relatedTarget !== null) return;
    // A click beside the element also leaves no focus, and that is kept. An element that is being
    // removed or hidden looks the same until the event is over, so look later.
    setTimeout(() => {
      if (last !== target || document.activeElement === last) return;
      if (last && isVisible(last)) last = null;
    });
  });
  return () => {
    if (last === null || isVisible(last)) return;
    last = null;
    fallback().focus({ preventScroll: true });
  };
}

/** @param {Element} element */
function isVisible(element) {
  return element.isConnected && element.getClientRects().length > 0;
}
