// What the call is doing, decided without touching the page or the network.

/**
 * @typedef {"idle"|"asking"|"connecting"|"listening"|"thinking"|"speaking"|"reconnecting"|"ended"} StateName
 * @typedef {{name: StateName, reason: string|null, serverLeads: boolean, userSpeaking: boolean}} CallState
 */

/** @type {CallState} */
export const IDLE = Object.freeze({
  name: "idle",
  reason: null,
  serverLeads: false,
  userSpeaking: false,
});

const LIVE = new Set(["listening", "thinking", "speaking"]);
const SERVER_STATES = new Set([...LIVE, "connecting", "reconnecting", "ended"]);

/** Is there a conversation going on, so that speech and text reach the agent? */
export const isLive = (state) => LIVE.has(state.name);

/** Is there a call at all, connected or on its way? */
export const isInCall = (state) => state.name !== "idle" && state.name !== "ended";

/**
 * The state after a message of the server.
 *
 * A server that says its state outright (`server-message` of kind `state`) is believed from then
 * on; until it does, and for any other RTVI server, the state follows from who is speaking.
 *
 * @param {CallState} state
 * @param {{type: string, data?: any}} message an RTVI message
 * @returns {CallState}
 */
export function afterMessage(state, { type, data }) {
  if (state.name === "ended") return state; // a late message must not revive a call
  switch (type) {
    case "server-message":
      if (data?.kind !== "state" || !SERVER_STATES.has(data.state)) return state;
      return { ...state, name: data.state, reason: data.reason ?? null, serverLeads: true };
    case "user-started-speaking":
      return { ...state, userSpeaking: true };
    case "user-stopped-speaking":
      return { ...state, userSpeaking: false };
    case "bot-llm-started":
      return state.name === "speaking" ? state : derived(state, "thinking");
    case "bot-started-speaking":
      return derived(state, "speaking");
    case "bot-stopped-speaking":
      return derived(state, "listening");
    default:
      return state;
  }
}

/**
 * The state when the page itself knows better: it dials, it lost the peer, it hung up.
 * @param {CallState} state
 * @param {StateName} name
 * @param {string|null} reason
 * @returns {CallState}
 */
export function enter(state, name, reason = null) {
  const fresh = name === "asking" || name === "connecting" || name === "idle";
  return {
    name,
    reason,
    serverLeads: fresh ? false : state.serverLeads,
    userSpeaking: false,
  };
}

function derived(state, name) {
  // "connecting" and "reconnecting" of our own making are over once the agent is there.
  if (state.serverLeads && LIVE.has(state.name)) return state;
  return { ...state, name, reason: null };
}

/** @param {CallState} state @returns {string} the state in a word or two */
export const titleOf = (state) =>
  wordsFor(state, { muted: false, typedOnly: false, slow: false }).title;

/**
 * @param {CallState} state
 * @param {{muted: boolean, typedOnly: boolean, slow: boolean}} now slow: it has been so for longer
 *   than it usually is
 * @returns {{title: string, detail: string}} what to show
 */
export function wordsFor(state, { muted, typedOnly, slow }) {
  switch (state.name) {
    case "idle":
      return { title: "Ready", detail: "" };
    case "asking":
      return { title: "Waiting for you", detail: "Answer the browser's question above." };
    case "connecting":
      return {
        title: "Connecting",
        detail: state.reason ?? (slow ? "This takes longer than usual." : "Calling the agent."),
      };
    case "listening":
      if (typedOnly) return { title: "Listening", detail: "No microphone: type below." };
      if (muted) return { title: "Listening", detail: "You are muted. You can still type." };
      if (state.userSpeaking) return { title: "Listening", detail: "It hears you." };
      return { title: "Listening", detail: state.reason ?? "Just talk." };
    case "thinking":
      return {
        title: "Thinking",
        detail: state.reason ?? (slow ? "This takes longer than usual. You can still talk." : ""),
      };
    case "speaking":
      return { title: "Speaking", detail: typedOnly || muted ? "" : "Talk to interrupt it." };
    case "reconnecting":
      return { title: "Reconnecting", detail: state.reason ?? "The connection was lost." };
    case "ended":
      return { title: "Call ended", detail: state.reason ?? "" };
  }
}
