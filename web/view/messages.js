// What the server says during a call, told to the parts of the page that show it.

import { noticeProblem } from "../call/problems.js";

/**
 * @param {{type: string, id?: string, data?: any}} message an RTVI message
 * @param {{captions: import("./captions.js").Captions, looks: import("./looks.js").Looks,
 *   points: import("./points.js").Points, notices: import("./notices.js").Notices,
 *   seen: boolean, fullPicture: (seconds: number) => void,
 *   resumed: (earlier: {who: string, text: string, agent?: string}[]) => void,
 *   takeBack: (text: string) => void}} page takeBack: a typed line was not taken; seen: the camera is on and
 *   the agent is there to look
 */
export function showMessage({ type, id, data }, page) {
  const { captions } = page;
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
    case "error-response":
      if (!data.fatal) showError(id, data.message ?? data.error, page);
      return;
    case "server-message":
      return showOwn(data ?? {}, page);
  }
}

function showError(id, words, { captions, takeBack }) {
  const line = captions.refused(id, words);
  if (line === null) captions.note(words, "error");
  else takeBack(line);
}

function showOwn(data, { captions, looks, points, notices, seen, fullPicture, resumed }) {
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
      if (seen) looks.saw(data);
      return;
    case "frame_at_speech_end":
      if (seen) captions.looked(data.age_ms);
      return;
    case "point":
      if (seen) points.show(data);
      return;
    case "clear_points":
      return points.clear();
    case "full_picture":
      return fullPicture(data.seconds);
    case "resumed":
      return resumed(data.earlier);
    case "notice":
      return notices.show(data.about, noticeProblem(data), { leftS: data.left_s, dismissable: true });
    case "notice_over":
      return notices.clear(data.about);
  }
}
