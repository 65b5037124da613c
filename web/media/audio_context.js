// The page's one AudioContext: it measures levels and makes the silence of a typed call. Browsers
// let it run only after a click, so it is made by the first one that needs it.

let context = null;

/** @returns {AudioContext} running, if called from a click or after one */
export function audioContext() {
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume();
  return context;
}
