// SmallWebRTC signalling over HTTP: offer, candidates, goodbye. All URLs are relative to the page's,
// which a proxy or an embedding application may serve under a prefix.

import { NotTheServer, Refusal, Unreachable } from "./errors.js";

const REQUEST_TIMEOUT_MS = 15_000;
const CALLER_ID_KEY = "vision-agent-user";

/**
 * @typedef {object} Destination a model service
 * @property {"gemini"|"vertex"|"custom"|"brain"|"ears"|"voice"} service custom: whatever the agent's own
 *   model connects to; brain, ears, voice: a server that the owner named, which gets text and pictures,
 *   the caller's speech, the agent's words
 * @property {string} host empty: Google's own, or unknown
 * @property {string} model
 */

/**
 * @typedef {object} Agent what `GET /api/info` says about an agent
 * @property {string} [agent] its name
 * @property {string} [description]
 * @property {"local"|"own"|"gemini"|"custom"} [brain] own: a language model that the server's owner
 *   named; custom: the agent brings a model object or base URL
 * @property {string} [brain_label]
 * @property {string} [model]
 * @property {string[]} [notes] a sentence for each model or voice that is only tried
 * @property {string[]} [misfits] parts of the agent without effect in a call, a sentence each
 * @property {Destination[]} [destinations] empty for the local engine
 * @property {string[]} [voices] those that a caller may choose from
 */

/**
 * @typedef {Agent & {id?: string, agents?: (Agent & {id: string})[], ice_servers?: RTCIceServer[],
 *   ready?: boolean, screen_sharing?: boolean, takes_user?: boolean, gives_tokens?: boolean,
 *   recording?: import("./recording_choice.js").Recording}} Info the
 *   response to `GET /api/info`; takes_user: false: the server finds out itself who calls;
 *   gives_tokens: for this page's token it gives tokens for single users
 * @typedef {{sdp: string, type: "answer", pc_id: string, resume?: string, resume_within_s?: number,
 *   resumed?: boolean}} Answer the response to an offer; resume: the token that resumes this
 *   conversation; resumed: whether an earlier one was resumed
 * @typedef {object} OfferTarget a new call, or a new peer connection under a known one
 * @property {string|null} pcId
 * @property {boolean} restart replaces the call's peer connection
 * @property {string|null} [agent] null: the server's first
 * @property {string|null} [resume] the token of an earlier conversation
 */

export class Signalling {
  /** @type {Record<string, string|boolean>} options of new calls, such as the agent's voice */
  options = {};
  #token;
  /** @type {string|null} for the calls of this browser's user */
  #callToken = null;
  #takesUser = true;
  #givesTokens = false;

  /** @param {string|null} token for `Authorization: Bearer …`; null: the server asks for none */
  constructor(token = null) {
    this.#token = token;
  }

  /**
   * @returns {Promise<Info>}
   * @throws {Refusal|Unreachable|NotTheServer}
   */
  async info() {
    /** @type {Info} */
    const info = await this.#request("GET", "api/info");
    this.#takesUser = info.takes_user !== false;
    this.#givesTokens = info.gives_tokens === true;
    return info;
  }

  /**
   * The server's STUN and TURN servers, with new credentials.
   * @param {RTCIceServer[]} earlier what it said before the call
   * @returns {Promise<RTCIceServer[]>}
   * @throws {Refusal|Unreachable|NotTheServer}
   */
  async iceServers(earlier = []) {
    if (earlier.length === 0) return earlier; // a server without any is not asked again
    try {
      return (await this.info()).ice_servers ?? [];
    } catch (error) {
      // The token has expired and still reaches the call, as the earlier credentials may.
      if (error instanceof Refusal && error.status === 401) return earlier;
      throw error;
    }
  }

  /**
   * @param {RTCSessionDescription} offer
   * @param {OfferTarget} target
   * @returns {Promise<Answer>}
   * @throws {Refusal|Unreachable|NotTheServer}
   */
  async offer(offer, { pcId, restart, agent = null, resume = null }) {
    const id = callerId();
    const user = this.#takesUser ? id : null;
    if (pcId === null && id && this.#givesTokens) {
      this.#callToken = (await this.#request("POST", "api/tokens", { user: id })).token;
    }
    return this.#request("POST", "api/offer", {
      sdp: offer.sdp,
      type: offer.type,
      pc_id: pcId,
      ...(pcId !== null && { restart_pc: restart }),
      requestData: {
        ...(user && { user }),
        ...(agent !== null && { agent }),
        ...(!restart && this.options),
        ...(resume && !restart && { resume }),
      },
    });
  }

  /**
   * @param {string} pcId
   * @param {(RTCIceCandidate|null)[]} candidates null: the end of candidates
   * @throws {Refusal|Unreachable|NotTheServer}
   */
  candidates(pcId, candidates) {
    return this.#request("PATCH", "api/offer", {
      pc_id: pcId,
      candidates: candidates.map((candidate) => ({
        candidate: candidate?.candidate ?? "",
        sdp_mid: candidate?.sdpMid ?? "0",
        sdp_mline_index: candidate?.sdpMLineIndex ?? 0,
      })),
    });
  }

  /**
   * Ends the call on the server. With `keepalive` the request outlives a page that is being closed,
   * so nothing waits for it and a failure is not reported.
   * @param {string} pcId
   */
  goodbye(pcId) {
    fetch(`api/offer/${encodeURIComponent(pcId)}`, {
      method: "DELETE",
      keepalive: true,
      headers: this.#headers("api/offer"),
    }).catch(() => {});
  }

  /** @param {string} path @param {boolean} json whether there is a body */
  #headers(path, json = false) {
    /** @type {Record<string, string>} */
    const headers = json ? { "Content-Type": "application/json" } : {};
    const token = path === "api/offer" ? (this.#callToken ?? this.#token) : this.#token;
    if (token) headers.Authorization = `Bearer ${token}`;
    return headers;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body] becomes JSON
   * @returns {Promise<any>} the response's JSON object
   * @throws {Refusal|Unreachable|NotTheServer}
   */
  async #request(method, path, body) {
    let response;
    try {
      response = await fetch(path, {
        method,
        headers: this.#headers(path, body !== undefined),
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        cache: "no-store",
        redirect: "manual", // this server never redirects, a login page in front of it does
      });
    } catch (error) {
      const timedOut = error instanceof DOMException && error.name === "TimeoutError";
      const how = timedOut ? "timeout" : "silent";
      throw new Unreachable(navigator.onLine === false ? "offline" : how);
    }
    if (response.type === "opaqueredirect") throw new NotTheServer();
    const answer = await response.json().catch(() => null);
    const isObject = typeof answer === "object" && answer !== null;
    if (response.ok && !isObject) throw new NotTheServer();
    if (response.ok) return answer;
    const retryAfterS = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
    throw new Refusal(
      response.status,
      typeof answer?.error === "string" ? answer.error : "",
      Number.isFinite(retryAfterS) ? retryAfterS : null,
    );
  }
}

/**
 * The access token of a link that ends in `#token=…`: a browser never sends the fragment.
 * @param {string} hash of the page's URL
 */
export function tokenFrom(hash) {
  return new URLSearchParams(hash.replace(/^#/, "")).get("token");
}

/**
 * The caller's id, under which the agent remembers earlier calls: random, kept in this browser until
 * the site's data is cleared.
 * @returns {string|null} null: storage is forbidden, so the agent remembers nothing of this caller
 */
function callerId() {
  try {
    let id = localStorage.getItem(CALLER_ID_KEY);
    if (!/^[0-9a-f]{32}$/.test(id ?? "")) {
      id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
        byte.toString(16).padStart(2, "0"),
      ).join("");
      localStorage.setItem(CALLER_ID_KEY, id);
    }
    return id;
  } catch {
    return null;
  }
}
