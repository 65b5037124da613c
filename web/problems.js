// What went wrong, in words, and what the person can do about it. Pure.

/** The server said no: an HTTP status other than 2xx, with its own sentence if it gave one. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} sentence
   * @param {number|null} retryAfterS from the Retry-After header, in seconds
   */
  constructor(status, sentence, retryAfterS = null) {
    super(sentence || `The server answered ${status}.`);
    this.name = "Refusal";
    this.status = status;
    this.sentence = sentence;
    this.retryAfterS = retryAfterS;
  }
}

/** Nobody answered the request. */
export class Unreachable extends Error {
  constructor() {
    super("The server does not answer.");
    this.name = "Unreachable";
  }
}

/** The server answered, but no media path came up, or the agent never got ready. */
export class NoPath extends Error {
  constructor(message) {
    super(message);
    this.name = "NoPath";
  }
}

/** The browser found no address to call from. */
export class NoNetwork extends Error {
  constructor() {
    super("The browser found no network to call over.");
    this.name = "NoNetwork";
  }
}

/**
 * @typedef {{title: string, text: string, action: string|null}} Problem
 *   action: the words on the button that tries again, null if trying again cannot help
 */

/**
 * Why a call could not be made, or ended.
 * @param {Error} error
 * @returns {Problem}
 */
export function callProblem(error) {
  if (error instanceof Unreachable) {
    return {
      title: "The server can't be reached",
      text: "Check that it is running and that this device is on the network, then try again.",
      action: "Try again",
    };
  }
  if (error instanceof Refusal) return refusal(error);
  if (error instanceof NoPath) {
    return {
      title: "No connection for sound and picture",
      text: `${error.message} A firewall or a VPN may be in the way; the server may need a TURN relay.`,
      action: "Try again",
    };
  }
  if (error instanceof NoNetwork) {
    return {
      title: "This browser found no network to call over",
      text: "It needs one even for a server on this machine: connect to any network, it may be without internet. An extension or a policy that hides addresses can also be the reason.",
      action: "Try again",
    };
  }
  return { title: "The call failed", text: error.message, action: "Try again" };
}

function refusal({ status, sentence, retryAfterS, message }) {
  if (status === 503) {
    const wait = retryAfterS
      ? `Try again in about ${retryAfterS} second${retryAfterS === 1 ? "" : "s"}.`
      : "Try again in a moment.";
    return {
      title: "All lines are busy",
      text: `${sentence || "The server takes no more calls right now."} ${wait}`,
      action: "Try again",
    };
  }
  if (status === 401 || status === 403) {
    return {
      title: "This server asks for an access token",
      text: "Open the page with the link you were given, the one that ends in #token=…, or ask whoever runs the server for it.",
      action: "Try again",
    };
  }
  if (status === 400) {
    return { title: "The server did not accept the call", text: message, action: "Try again" };
  }
  return { title: "The server had a problem", text: message, action: "Try again" };
}

const ENDING = {
  drain: "The server restarts soon",
  idle: "Are you still there?",
  max_call: "The call ends soon",
};

/**
 * Why the call is going to end.
 * @param {{about: string, text: string}} notice the server's
 * @returns {Problem}
 */
export function endingSoon({ about, text }) {
  return { title: ENDING[about] ?? "The call ends soon", text, action: null };
}

const WITHOUT = {
  camera: "The agent hears you, but sees nothing.",
  microphone: "Type instead; you still hear the answers.",
  both: "Type instead; you still hear the answers.",
};
const NAME = { camera: "camera", microphone: "microphone", both: "camera and microphone" };

/**
 * Why a device is missing from the call, and how to get it back. The call goes on without it.
 * @param {"camera"|"microphone"|"both"} kind
 * @param {Error} error what getUserMedia threw
 * @returns {Problem}
 */
export function deviceProblem(kind, error) {
  const [title, advice] = deviceWords(kind, error);
  return {
    title,
    text: `${WITHOUT[kind]} ${advice}`,
    action: kind === "both" ? "Try both again" : `Try the ${kind} again`,
  };
}

function deviceWords(kind, error) {
  const name = NAME[kind];
  const [are, it] = kind === "both" ? ["are", "them"] : ["is", "it"];
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

/** Browsers give no camera and no microphone to plain http from another host. */
export const INSECURE = Object.freeze({
  title: "The browser blocks camera and microphone here",
  text: "They only work over https, or on the machine itself at http://localhost. You can still call, type, and hear the answers.",
  action: null,
});

/** A browser without WebRTC cannot call at all. */
export const NO_WEBRTC = Object.freeze({
  title: "This browser can't make calls",
  text: "It has no WebRTC. A current Chrome, Edge, Firefox or Safari does.",
  action: null,
});
