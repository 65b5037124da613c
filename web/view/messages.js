// Shows what the server says during a call.

/**
 * @typedef {object} CallView the parts of the page that show a call
 * @property {import("./captions.js").Captions} captions
 * @property {import("./vision_chip.js").VisionChip} visionChip
 * @property {import("./points.js").Points} points
 * @property {import("./shared_screen.js").SharedScreen} screen
 * @property {import("./notices.js").Notices} notices
 * @property {import("./recording.js").Recording} recording
 * @property {boolean} agentSees the camera is on and the agent is connected
 * @property {(seconds: number) => void} sendFullResolution
 * @property {(earlier: import("./captions.js").EarlierLine[]) => void} onResumed
 * @property {(text: string) => void} onTextRefused the server did not take a typed line
 */

/**
 * @param {{type: string, id?: string, data?: any}} message of RTVI
 * @param {CallView} view
 */
export function showMessage({ type, id, data }, view) {
  const { captions } = view;
  switch (type) {
    case "user-started-speaking":
      return captions.userStarted();
    case "user-transcription":
      return captions.user(data.text, data.final);
    case "bot-tts-text":
      return captions.agentDelta(data.text);
    case "bot-transcription":
      return captions.agentFinal(data.text);
    case "llm-function-call-in-progress": // "started" comes before it, without an id
      return captions.toolStarted(data.tool_call_id, data.function_name);
    case "llm-function-call-stopped":
      return captions.toolStopped(data.tool_call_id, data.cancelled);
    case "error":
    case "error-response": {
      if (data.fatal) return; // shown when the call ends
      const reason = data.message ?? data.error;
      const refused = captions.refuse(id, reason);
      if (refused === null) captions.note(reason, "error");
      else view.onTextRefused(refused);
      return;
    }
    case "server-message":
      return showServerMessage(data ?? {}, view);
  }
}

/**
 * @param {any} data of a server-message; `kind` names it
 * @param {CallView} view
 */
function showServerMessage(data, view) {
  const { captions, visionChip, points, screen, notices, agentSees } = view;
  const ofScreen = data.source === "screen";
  switch (data.kind) {
    case "interrupted":
      return captions.interrupted(data.heard);
    case "turn_complete":
      return captions.turnComplete();
    case "agent":
      return captions.agentSpeaks(data.name);
    case "unasked":
      captions.note(data.text);
      return;
    case "frame":
      if (ofScreen) screen.chip.frameSent(data);
      else if (agentSees) visionChip.frameSent(data);
      return;
    case "frame_at_speech_end":
      if (agentSees) captions.frameSentAtSpeechEnd(data.age_ms);
      return;
    case "point":
      if (ofScreen) screen.points.show(data);
      else if (agentSees) points.show(data);
      else return;
      // The boxes themselves are hidden from screen readers: a position means nothing there.
      return captions.announce(`The agent points at: ${data.label}.`);
    case "clear_points":
      screen.points.clear();
      return points.clear();
    case "full_frame":
      return view.sendFullResolution(data.seconds);
    case "resumed":
      return view.onResumed(data.earlier);
    case "notice":
      return notices.show(data.about, noticeOf(data), { leftS: data.left_s, dismissable: true });
    case "recording":
      if (data.on) captions.announce("This call is recorded.");
      return view.recording.changed(data.on, data.reason);
    case "notice_over":
      return notices.clear(data.about);
  }
}

/** @type {Record<string, string>} */
const TITLES = {
  drain: "The server restarts soon",
  idle: "Are you still there?",
  max_call: "The call ends soon",
  allowance: "The call ends soon",
};

/**
 * @param {{about: string, text: string, left_s?: number|null}} message left_s: seconds until the
 *   call ends
 * @returns {import("../call/errors.js").Notice}
 */
function noticeOf({ about, text, left_s: leftS }) {
  const title =
    TITLES[about] ?? ((leftS ?? null) === null ? "From the server" : "The call ends soon");
  return { title, text, action: null };
}
