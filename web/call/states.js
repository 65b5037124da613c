// The state of a call, and its words. Pure.

/**
 * asking: the browser asks the caller for camera and microphone.
 * @typedef {"idle"|"asking"|"connecting"|"listening"|"thinking"|"speaking"|"reconnecting"|"ended"} StateName
 * @typedef {object} CallState
 * @property {StateName} name
 * @property {string|null} reason a sentence
 * @property {boolean} serverLeads the server reports the state itself
 * @property {boolean} userSpeaking
 */

/** @type {CallState} */
export const IDLE = Object.freeze({
  name: "idle",
  reason: null,
  serverLeads: false,
  userSpeaking: false,
});

/** @type {Set<StateName>} */
const LIVE = new Set(["listening", "thinking", "speaking"]);
const SERVER_STATES = new Set([...LIVE, "connecting", "reconnecting", "ended"]);

/**
 * Whether speech and text reach the agent.
 * @param {CallState} state
 */
export const isLive = (state) => LIVE.has(state.name);

/**
 * Whether there is a call, connected or being connected.
 * @param {CallState} state
 */
export const isInCall = (state) => state.name !== "idle" && state.name !== "ended";

/**
 * The state after a message from the server. Once the server reports the state itself
 * (`server-message` of kind `state`), its word counts. Until then, and with any other RTVI server,
 * the state is derived from who is speaking.
 *
 * @param {CallState} state
 * @param {{type: string, data?: any}} message an RTVI message
 * @returns {CallState}
 */
export function afterMessage(state, { type, data }) {
  if (state.name === "ended") return state; // a late message does not revive a call
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
 * A state that the page decides: it dials, it lost the peer connection, the caller hung up.
 * @param {CallState} state
 * @param {StateName} name
 * @param {string|null} reason
 * @returns {CallState}
 */
export function enter(state, name, reason = null) {
  const isNewCall = name === "asking" || name === "connecting" || name === "idle";
  return {
    name,
    reason,
    serverLeads: isNewCall ? false : state.serverLeads,
    userSpeaking: false,
  };
}

/**
 * @param {CallState} state
 * @param {StateName} name
 * @returns {CallState}
 */
function derived(state, name) {
  // A "connecting" or "reconnecting" that the page set is over once the agent is there.
  if (state.serverLeads && LIVE.has(state.name)) return state;
  return { ...state, name, reason: null };
}

/**
 * What a screen reader says about the call itself. Turns are audible and need no announcement.
 * @param {StateName} before
 * @param {CallState} state
 * @returns {string|null} null: nothing
 */
export function announcement(before, state) {
  const { name, reason } = state;
  if (name === "ended") return ["Call ended.", reason].filter(Boolean).join(" ");
  if (name === "connecting") return "Connecting";
  if (name === "reconnecting") return "Reconnecting";
  const wasAway = before === "connecting" || before === "reconnecting";
  return isLive(state) && wasAway ? "Connected." : null;
}

/**
 * @param {CallState} state
 * @param {{muted: boolean, pushToTalk?: boolean, typedOnly: boolean, slow: boolean}} now slow: the
 *   state lasts longer than it usually does
 * @returns {{title: string, detail: string}} a word or two, and a sentence or nothing
 */
export function describe(state, { muted, pushToTalk, typedOnly, slow }) {
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
      if (muted && pushToTalk)
        return { title: "Listening", detail: "Hold Space, or the button, to talk." };
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
