// The HTTP side of a call: offer, candidates, goodbye. Speaks SmallWebRTC signalling. All addresses
// are relative to the page's, which a proxy or an application around it may have put under a prefix.

import { NotTheServer, Refusal, Unreachable } from "./problems.js";

const REQUEST_TIMEOUT_MS = 15_000;
const WHO = "vision-agent-user";

export class Signalling {
  #token;

  /** @param {string|null} token sent as `Authorization: Bearer …`, if the server asks for one */
  constructor(token = null) {
    this.#token = token;
  }

  /** What the server says about itself: agent, brain, ice_servers, ready. */
  info() {
    return this.#request("GET", "api/info");
  }

  /**
   * @param {RTCSessionDescriptionInit} offer
   * @param {{pcId: string|null, restart: boolean, agent?: string|null, resume?: string|null}} which
   *   a new call, or a new peer under a known one; `agent`: which of the server's, null for its
   *   first; `resume` continues an earlier call's conversation
   * @returns {Promise<{sdp: string, type: "answer", pc_id: string, resume?: string,
   *   resume_within_s?: number, resumed?: boolean}>}
   */
  offer(offer, { pcId, restart, agent = null, resume = null }) {
    const body = { sdp: offer.sdp, type: offer.type, pc_id: pcId };
    const user = whoCalls();
    body.requestData = { ...(user && { user }), ...(agent !== null && { agent }) };
    if (restart) body.restart_pc = true;
    else if (resume) body.requestData.resume = resume;
    return this.#request("POST", "api/offer", body);
  }

  /**
   * @param {string} pcId
   * @param {RTCIceCandidate[]} candidates a null stands for the end of them
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
   * Ends the call on the server. `keepalive` lets it outlive a page that is being closed, so
   * nothing may wait for it and there is nobody left to tell if it fails.
   * @param {string} pcId
   */
  goodbye(pcId) {
    fetch(`api/offer/${encodeURIComponent(pcId)}`, {
      method: "DELETE",
      keepalive: true,
      headers: this.#headers(),
    }).catch(() => {});
  }

  #headers(json = false) {
    /** @type {Record<string, string>} */
    const headers = json ? { "Content-Type": "application/json" } : {};
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`;
    return headers;
  }

  async #request(method, path, body) {
    let response;
    try {
      response = await fetch(path, {
        method,
        headers: this.#headers(body !== undefined),
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        cache: "no-store",
        redirect: "manual", // this server sends nobody elsewhere, a login in front of it does
      });
    } catch (error) {
      const late = error.name === "TimeoutError";
      throw new Unreachable(navigator.onLine === false ? "offline" : late ? "late" : "silent");
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

/** The access token of a link that ends in `#token=…`. A fragment is never sent to the server. */
export function tokenFrom(hash) {
  return new URLSearchParams(hash.replace(/^#/, "")).get("token");
}

/**
 * Who this is, for the agent's memory of earlier calls: a name that nobody can guess, kept in this
 * browser. Whoever clears the site's data is somebody new.
 * @returns {string|null} null if nothing may be kept here
 */
function whoCalls() {
  try {
    let user = localStorage.getItem(WHO);
    if (!/^[0-9a-f]{32}$/.test(user ?? "")) {
      user = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
        byte.toString(16).padStart(2, "0"),
      ).join("");
      localStorage.setItem(WHO, user);
    }
    return user;
  } catch {
    return null; // storage is forbidden: the agent remembers nothing of this person
  }
}
