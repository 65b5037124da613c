// Why a call failed, and what the caller can do about it, in words. Pure.

/**
 * @typedef {object} Notice what a card on the page says
 * @property {string} title
 * @property {string} text
 * @property {string|null} action the label of the button; null: nothing can be done
 */

const FIREWALL = "A firewall or a VPN may be in the way; the server may need a TURN relay.";

/** The server refused a request: an HTTP status other than 2xx. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} sentence the server's own; empty: it gave none
   * @param {number|null} retryAfterS the Retry-After header, in seconds
   */
  constructor(status, sentence, retryAfterS = null) {
    super(sentence || `The server answered ${status}.`);
    this.name = "Refusal";
    this.status = status;
    this.sentence = sentence;
    this.retryAfterS = retryAfterS;
  }
}

/** The request got no response. */
export class Unreachable extends Error {
  /** @param {"offline"|"timeout"|"silent"} how offline: this device has no network */
  constructor(how = "silent") {
    super("The server does not answer.");
    this.name = "Unreachable";
    this.how = how;
  }
}

/** The response is not one of this server's: a login page, a proxy. */
export class NotTheServer extends Error {
  constructor() {
    super("The answer did not come from the server.");
    this.name = "NotTheServer";
  }
}

/** The server answered, but no media path was found, or the agent never got ready. */
export class NoMediaPath extends Error {
  /**
   * @param {string} message
   * @param {string} advice what can be done about it
   */
  constructor(message, advice = FIREWALL) {
    super(message);
    this.name = "NoMediaPath";
    this.advice = advice;
  }
}

/** The browser gathered no ICE candidate. */
export class NoNetwork extends Error {
  constructor() {
    super("The browser found no network to call over.");
    this.name = "NoNetwork";
  }
}

/**
 * Why a call could not be made.
 * @param {unknown} error
 * @returns {Notice}
 */
export function callFailedNotice(error) {
  const [title, text] = titleAndText(error);
  return { title, text, action: "Try again" };
}

/**
 * Why an established call is lost. Nothing is said twice.
 * @param {string} why what happened to the connection; a sentence
 * @param {unknown} last why the last attempt to reconnect failed
 * @returns {Notice}
 */
export function callLostNotice(why, last) {
  const action = "Call again";
  const title = "Connection lost";
  if (last instanceof Refusal && last.status === 404) {
    return { title, text: `${why} The server has ended the call meanwhile.`, action };
  }
  if (last instanceof NoMediaPath) {
    const cause = last.message === why ? "" : ` ${last.message}`;
    return { title, text: `${why}${cause} ${last.advice}`, action };
  }
  const [what, advice] = titleAndText(last);
  const text = last instanceof Unreachable ? `${why} ${what}. ${advice}` : `${why} ${advice}`;
  return { title, text, action };
}

/**
 * Whether repeating the request is pointless.
 * @param {unknown} error
 */
export function isFinal(error) {
  if (!(error instanceof Refusal)) return false;
  return error.status < 500 && ![408, 425, 429].includes(error.status);
}

/** @typedef {[title: string, text: string]} TitleAndText */

/** @type {Record<Unreachable["how"], TitleAndText>} */
const UNREACHABLE = {
  offline: [
    "This device has no network",
    "Connect it to the network that the server is on, then try again.",
  ],
  timeout: [
    "The server answers too slowly",
    "The server or the network is slow right now. Try again in a moment.",
  ],
  silent: [
    "The server can't be reached",
    "Check that the server is running and that this device is on its network, then try again.",
  ],
};

/**
 * @param {unknown} error
 * @returns {TitleAndText}
 */
function titleAndText(error) {
  if (error instanceof Unreachable) return UNREACHABLE[error.how];
  if (error instanceof Refusal) return refusalText(error);
  if (error instanceof NotTheServer) {
    return [
      "Something else answered in the server's place",
      "It may be a login page or a proxy. Reload this page, log in if you are asked to, and call again.",
    ];
  }
  if (error instanceof NoMediaPath) {
    return ["No connection for sound and picture", `${error.message} ${error.advice}`];
  }
  if (error instanceof NoNetwork) {
    return [
      "This browser found no network to call over",
      "It needs one even for a server on this machine: connect to any network, it may be without internet. An extension or a policy that hides addresses can also be the reason.",
    ];
  }
  return ["The call failed", error instanceof Error ? error.message : String(error)];
}

/**
 * @param {Refusal} refusal
 * @returns {TitleAndText}
 */
function refusalText({ status, sentence, retryAfterS, message }) {
  const again = tryAgain(retryAfterS);
  // The server's sentence may say to try again; how long to wait is in its header.
  const said = sentence.replace(/\s*Try again[^.]*\.$/, "");
  const fact = said || message;
  switch (status) {
    case 401:
      if (sentence.startsWith("The token ")) return ["This link begins no more calls", sentence];
      return [
        "This server asks for an access token",
        "Open the page with the link you were given, the one that ends in #token=…, or ask whoever runs the server for it.",
      ];
    case 403:
    case 421: // unknown host name in the address
      if (status === 403 && sentence && !sentence.startsWith("Pages of ")) {
        return ["The server does not take this call", sentence]; // whichever page sends it
      }
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
        (retryAfterS ?? 0) > 600 ? "No more calls today" : "Too many calls in a short time",
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
function tryAgain(seconds) {
  if (!seconds || seconds < 0) return "Try again in a moment.";
  const [count, unit] =
    seconds < 120
      ? [seconds, "second"]
      : seconds < 7_200
        ? [Math.ceil(seconds / 60), "minute"]
        : [Math.ceil(seconds / 3_600), "hour"];
  return `Try again in about ${count} ${unit}${count === 1 ? "" : "s"}.`;
}

/** @type {Notice} for a browser that cannot call at all */
export const NO_WEBRTC = Object.freeze({
  title: "This browser can't make calls",
  text: "It has no WebRTC. A current Chrome, Edge, Firefox or Safari does.",
  action: null,
});
