// Why the camera or the microphone is missing, in words. Pure.

/**
 * @typedef {"camera"|"microphone"} Device
 * @typedef {Device|"both"} Missing
 * @typedef {import("../call/errors.js").Notice} Notice
 */

/** Browsers give no camera and no microphone to plain http from another host. */
export class InsecureContext extends Error {
  constructor() {
    super("This page has no secure context.");
    this.name = "InsecureContext";
  }
}

/** @type {Notice} */
const INSECURE = Object.freeze({
  title: "The browser blocks camera and microphone here",
  text: "They only work over https, or on the machine itself at http://localhost. You can still call, type, and hear the answers.",
  action: null,
});

const WITHOUT = {
  camera: "The agent hears you, but sees nothing.",
  microphone: "Type instead; you still hear the answers.",
  both: "Type instead; you still hear the answers.",
};
const NAME = { camera: "camera", microphone: "microphone", both: "camera and microphone" };

/**
 * Why a device is missing from the call, and how to get it back. The call goes on without it.
 * @param {Missing} missing
 * @param {Error} error what getUserMedia threw, or InsecureContext
 * @returns {Notice}
 */
export function deviceNotice(missing, error) {
  if (error instanceof InsecureContext) return INSECURE;
  const [title, advice] = causeAndAdvice(missing, error);
  return {
    title,
    text: `${WITHOUT[missing]} ${advice}`,
    action: missing === "both" ? "Try both again" : `Try the ${missing} again`,
  };
}

/**
 * The words in place of the camera's picture.
 * @param {Error|null} error why there is no camera; null: it is switched off
 */
export function noVideoText(error) {
  if (error === null) return "Your camera is off";
  if (error instanceof InsecureContext) return "The browser blocks the camera here";
  return causeAndAdvice("camera", error)[0];
}

/**
 * @param {Missing} missing
 * @param {Error} error
 * @returns {[cause: string, advice: string]}
 */
function causeAndAdvice(missing, error) {
  const name = NAME[missing];
  const [are, it] = missing === "both" ? ["are", "them"] : ["is", "it"];
  switch (error.name) {
    case "NotAllowedError":
      return [
        `The ${name} ${are} not allowed`,
        `To change that, open the site settings beside the address and allow ${it}.`,
      ];
    case "NotFoundError":
    case "OverconstrainedError":
      return [`No ${name} found`, `Plug ${it} in, then try again.`];
    case "NotReadableError":
    case "AbortError":
      return [
        `The ${name} ${are} in use`,
        `Another program or tab seems to hold ${it}. Close that, then try again.`,
      ];
    default:
      return [`The ${name} did not start`, `The browser says: ${error.message || error.name}.`];
  }
}
