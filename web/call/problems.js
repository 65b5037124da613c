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
  /** @param {"offline"|"late"|"silent"} how the device has no network; too slow; not at all */
  constructor(how = "silent") {
    super("The server does not answer.");
    this.name = "Unreachable";
    this.how = how;
  }
}

/** Something answered, but not in the server's words: a login page, a proxy. */
export class NotTheServer extends Error {
  constructor() {
    super("The answer did not come from the server.");
    this.name = "NotTheServer";
  }
}

/** The server answered, but no media path came up, or the agent never got ready. */
export class NoPath extends Error {
  /** @param {string} message */
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
 * Why a call could not be made.
 * @param {Error} error
 * @returns {Problem}
 */
export function callProblem(error) {
  const [title, text] = callWords(error);
  return { title, text, action: "Try again" };
}

/**
 * Why a call that was up is lost, each thing said once.
 * @param {string} why what happened to the connection; a sentence
 * @param {Error} last why the last try to get back failed
 * @returns {Problem}
 */
export function lostProblem(why, last) {
  const action = "Call again";
  const title = "Connection lost";
  if (last instanceof Refusal && last.status === 404) {
    return { title, text: `${why} The server has ended the call meanwhile.`, action };
  }
  if (last instanceof NoPath) {
    const cause = last.message === why ? "" : ` ${last.message}`;
    return { title, text: `${why}${cause} ${FIREWALL}`, action };
  }
  const [what, advice] = callWords(last);
  const text = last instanceof Unreachable ? `${why} ${what}. ${advice}` : `${why} ${advice}`;
  return { title, text, action };
}

/**
 * Whether the same request would be refused again and again.
 * @param {unknown} error
 */
export function isFinal(error) {
  if (!(error instanceof Refusal)) return false;
  return error.status < 500 && ![408, 425, 429].includes(error.status);
}

const FIREWALL = "A firewall or a VPN may be in the way; the server may need a TURN relay.";

const UNREACHABLE = {
  offline: [
    "This device has no network",
    "Connect it to the network that the server is on, then try again.",
  ],
  late: [
    "The server answers too slowly",
    "The server or the network is slow right now. Try again in a moment.",
  ],
  silent: [
    "The server can't be reached",
    "Check that the server is running and that this device is on its network, then try again.",
  ],
};

/** @param {Error} error @returns {string[]} a title and a text */
function callWords(error) {
  if (error instanceof Unreachable) return UNREACHABLE[error.how];
  if (error instanceof Refusal) return refusalWords(error);
  if (error instanceof NotTheServer) {
    return [
      "Something else answered in the server's place",
      "It may be a login page or a proxy. Reload this page, log in if you are asked to, and call again.",
    ];
  }
  if (error instanceof NoPath) {
    return ["No connection for sound and picture", `${error.message} ${FIREWALL}`];
  }
  if (error instanceof NoNetwork) {
    return [
      "This browser found no network to call over",
      "It needs one even for a server on this machine: connect to any network, it may be without internet. An extension or a policy that hides addresses can also be the reason.",
    ];
  }
  return ["The call failed", error.message];
}

/** @param {Refusal} refusal @returns {string[]} a title and a text */
function refusalWords({ status, sentence, retryAfterS, message }) {
  const again = whenAgain(retryAfterS);
  // The server may advise to try again; how long to wait is in its header.
  const said = sentence.replace(/\s*Try again[^.]*\.$/, "");
  const fact = said || message;
  switch (status) {
    case 401:
      return [
        "This server asks for an access token",
        "Open the page with the link you were given, the one that ends in #token=…, or ask whoever runs the server for it.",
      ];
    case 403:
    case 421: // it is not known by the name in the address
      return [
        "The server takes no calls from this page",
        `${sentence || "It does not allow the address that this page was opened at."} Open the page at the server's own address, or ask whoever runs the server to allow this one.`,
      ];
    case 404:
      return [
        "The server has not got what was asked for",
        `${fact} Reload the page: it may be older than the server.`,
      ];
    case 429:
      return [
        "Too many calls in a short time",
        `${said || "The server takes only so many from one address."} ${again}`,
      ];
    case 503:
      return [
        "The server takes no calls right now",
        `${said || "All lines are busy, or the server is restarting."} ${again}`,
      ];
    case 502:
    case 504:
      return [
        "The server does not answer its proxy",
        `The server may be starting, or may have stopped. ${again}`,
      ];
  }
  if (status < 500) {
    return [
      "The server did not accept the call",
      `${fact} Reload the page and try again; if that does not help, tell whoever runs the server.`,
    ];
  }
  return [
    "The server had a problem",
    `${fact} ${again} If it happens again, the cause stands in the server's log.`,
  ];
}

/** @param {number|null} seconds */
function whenAgain(seconds) {
  if (!seconds || seconds < 0) return "Try again in a moment.";
  const [count, unit] = seconds < 120 ? [seconds, "second"] : [Math.ceil(seconds / 60), "minute"];
  return `Try again in about ${count} ${unit}${count === 1 ? "" : "s"}.`;
}

const NOTICE = {
  drain: "The server restarts soon",
  idle: "Are you still there?",
  max_call: "The call ends soon",
};

/**
 * What the server has to say about the call.
 * @param {{about: string, text: string, left_s?: number}} notice the server's; left_s: until the
 *   call ends
 * @returns {Problem}
 */
export function noticeProblem({ about, text, left_s: leftS }) {
  const other = leftS === undefined || leftS === null ? "From the server" : "The call ends soon";
  return { title: NOTICE[about] ?? other, text, action: null };
}

/** @typedef {"camera"|"microphone"|"both"} Kind */

const WITHOUT = {
  camera: "The agent hears you, but sees nothing.",
  microphone: "Type instead; you still hear the answers.",
  both: "Type instead; you still hear the answers.",
};
const NAME = { camera: "camera", microphone: "microphone", both: "camera and microphone" };

/**
 * Why a device is missing from the call, and how to get it back. The call goes on without it.
 * @param {Kind} kind
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

/** @param {Kind} kind @param {Error} error @returns {string[]} a title and an advice */
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

/**
 * What stands where the camera's picture would be.
 * @param {Error|null} error why there is no camera; null: it is switched off
 */
export function noPictureWords(error) {
  if (error === null) return "Your camera is off";
  if (error instanceof Insecure) return "The browser blocks the camera here";
  return deviceWords("camera", error)[0];
}

/** Browsers give no camera and no microphone to plain http from another host. */
export class Insecure extends Error {
  constructor() {
    super("This page has no secure context.");
    this.name = "Insecure";
  }
}

/** @type {Problem} */
export const INSECURE = Object.freeze({
  title: "The browser blocks camera and microphone here",
  text: "They only work over https, or on the machine itself at http://localhost. You can still call, type, and hear the answers.",
  action: null,
});

/**
 * A browser without WebRTC cannot call at all.
 * @type {Problem}
 */
/** @param {string[]} misfits what of the agent has no effect in a call, a sentence each */
export function misfitsProblem(misfits) {
  return {
    title: "Not all of this agent works in a call",
    text: misfits.join(" "),
    action: null,
  };
}

export const NO_WEBRTC = Object.freeze({
  title: "This browser can't make calls",
  text: "It has no WebRTC. A current Chrome, Edge, Firefox or Safari does.",
  action: null,
});
