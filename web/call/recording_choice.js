// What a caller says about being recorded: kept for this tab; another tab asks again.

const KEY = "vision-agent.record";

/**
 * @typedef {object} Recording what the server does, from `GET /api/info`
 * @property {"none"|"asked"|"unless_declined"|"all"} calls which calls it records
 * @property {boolean} needs_consent of those it records only the calls whose caller agrees
 */

export class RecordingChoice {
  #storage;
  #path;
  /** @type {Recording} */
  #server = { calls: "none", needs_consent: false };
  /** @type {Map<string, "yes"|"no">} what was answered since the page was opened */
  #answers = new Map();

  /**
   * @param {import("./resume_token.js").TabStorage} storage
   * @param {string} path of the page: another path of the same origin may be another server
   */
  constructor(storage, path) {
    this.#storage = storage;
    this.#path = path;
  }

  /** @param {Recording} server */
  offer(server) {
    this.#server = server;
  }

  /** Whether the caller may decide. */
  get isOffered() {
    const { calls, needs_consent: needsConsent } = this.#server;
    return calls !== "none" && (calls !== "all" || needsConsent);
  }

  /** @returns {"yes"|"no"|null} null: consent was neither given nor refused */
  get now() {
    const { calls, needs_consent: needsConsent } = this.#server;
    if (!this.isOffered) return calls === "all" ? "yes" : "no";
    return this.#chosen ?? (needsConsent ? null : calls === "asked" ? "no" : "yes");
  }

  /** @param {"yes"|"no"} answer */
  choose(answer) {
    this.#answers.set(this.#key, answer);
    try {
      this.#storage.setItem(this.#key, answer);
    } catch (error) {
      console.warn(error); // it lasts until the page is left
    }
  }

  /**
   * The options of a call. They decline if the caller was told that nothing is recorded: the server
   * may have begun to record since.
   */
  get options() {
    const record = this.now === "yes";
    return { record, ...(record && this.#server.needs_consent && { record_consent: true }) };
  }

  /** Names what is recorded, so that a consent does not count for anything else. */
  get #key() {
    const { calls, needs_consent: needsConsent } = this.#server;
    return `${KEY} ${this.#path} ${calls} ${needsConsent ? "consent" : ""}`;
  }

  /** @returns {"yes"|"no"|null} */
  get #chosen() {
    const answer = this.#answers.get(this.#key) ?? this.#stored;
    return answer === "yes" || answer === "no" ? answer : null;
  }

  get #stored() {
    try {
      return this.#storage.getItem(this.#key);
    } catch {
      return null; // forbidden
    }
  }
}
