// Keeps the keyboard's place. A button that hides itself, or a card that is dismissed, would drop the
// focus to the top of the document, and a screen reader with it.

/**
 * @param {() => HTMLElement} fallback where the focus goes if what had it is gone
 * @returns {() => void} to be called after something was hidden or removed
 */
export function focusKeeper(fallback) {
  /** @type {Element|null} */
  let last = null;
  document.addEventListener("focusin", ({ target }) => (last = /** @type {Element} */ (target)));
  document.addEventListener("focusout", ({ relatedTarget, target }) => {
    if (relatedTarget !== null) return;
    // To nowhere, by a click beside it: nothing to keep. Not yet: what is just being removed from
    // the document, or hidden, looks the same from here.
    setTimeout(() => {
      if (last && last === target && isThere(last) && document.activeElement !== last) last = null;
    });
  });
  return () => {
    if (last === null || isThere(last)) return;
    last = null;
    fallback().focus({ preventScroll: true });
  };
}

/** @param {Element} element */
function isThere(element) {
  return element.isConnected && element.getClientRects().length > 0;
}
