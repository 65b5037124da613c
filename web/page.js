// Wires the parts of the page; each part does its own work.

import { Call } from "./call/call.js";
import { callFailedNotice } from "./call/errors.js";
import { deviceStorage, Preferences } from "./call/preferences.js";
import { ResumeToken, tabStorage } from "./call/resume_token.js";
import {
  afterMessage,
  announcement,
  describe,
  enter,
  IDLE,
  isInCall,
  isLive,
} from "./call/states.js";
import { AgentVoice, audioContext, LevelMeter, ReconnectChime } from "./media/audio.js";
import { noVideoText } from "./media/device_errors.js";
import { Devices } from "./media/devices.js";
import { HoldToTalk } from "./media/hold_to_talk.js";
import { ScreenWakeLock } from "./media/wake_lock.js";
import { Pictures } from "./pictures.js";
import { ScreenSharing } from "./sharing.js";
import { CallButtons } from "./view/call_buttons.js";
import { CAUSE, Captions } from "./view/captions.js";
import { Clock } from "./view/clock.js";
import { Composer } from "./view/composer.js";
import { Controls } from "./view/controls.js";
import { byId } from "./view/elements.js";
import { focusKeeper } from "./view/focus.js";
import { Indicator } from "./view/indicator.js";
import { listenForKeys } from "./view/keys.js";
import { Lobby } from "./view/lobby.js";
import { showMessage } from "./view/messages.js";
import { Notices } from "./view/notices.js";
import { Points } from "./view/points.js";
import { Recording } from "./view/recording.js";
import { SettingsDialog } from "./view/settings.js";
import { SlowTimer } from "./view/slow_timer.js";
import { TranscriptButtons } from "./view/transcript.js";
import { VisionChip } from "./view/vision_chip.js";

/**
 * @typedef {import("./call/errors.js").Notice} Notice
 * @typedef {import("./call/signalling.js").Answer} Answer
 * @typedef {import("./call/states.js").CallState} CallState
 */

// How long a server has to report its state before the page assumes that the agent listens.
const STATE_GRACE_MS = 300;

const stage = byId("stage");
const callButton = byId("call");
const ownVideo = /** @type {HTMLVideoElement} */ (byId("own"));
const voiceElement = /** @type {HTMLAudioElement} */ (byId("voice"));

const captions = new Captions(byId("captions"), byId("spoken-captions"));
const clock = new Clock(/** @type {HTMLTimeElement} */ (byId("clock")));
const chime = new ReconnectChime();
const indicator = new Indicator(byId("indicator"));
const visionChip = new VisionChip(stage, byId("looks"));
const points = new Points(byId("points"), ownVideo);
const resumeToken = new ResumeToken(tabStorage(), location.pathname.replace(/[^/]*$/, ""));
const keepFocus = focusKeeper(() => (isInCall(state) ? stage : callButton));
const callNotices = new Notices(byId("call-notices"), keepFocus);
const recording = new Recording(callNotices, () => call?.stopRecording() ?? true, keepFocus);
const lobby = new Lobby(resumeToken.agent, onAgentChosen, recording);
const callButtons = new CallButtons(resumeToken, () => lobby.agent, dial);
const voice = new AgentVoice(voiceElement, (blocked) => (byId("unblock").hidden = !blocked));
const preferences = new Preferences(deviceStorage());
const settings = new SettingsDialog(preferences, onPreference);
const devices = new Devices(
  {
    onMissing: (missing, notice) => {
      const onAction = () => devices.retry(missing);
      callNotices.show(missing, notice, { onAction, dismissable: true });
    },
    onFound: () => {
      for (const missing of ["camera", "microphone", "both"]) callNotices.clear(missing);
    },
    onChange: onDevicesChanged,
  },
  () => preferences.now,
);
const { camera, microphone } = devices;
const holdToTalk = new HoldToTalk(holdsToTalk, (talking) => {
  microphone.mute(!talking);
  onDevicesChanged();
});
const actions = {
  microphone: () => {
    if (!holdsToTalk()) devices.toggleMicrophone();
  },
  camera: () => devices.toggleCamera(),
  switch: switchCamera,
  screen: () => sharing.toggle(),
  "hang-up": hangUp,
};
const controls = new Controls(stage, actions, holdToTalk);
listenForKeys(stage, actions, holdToTalk);
const sharing = new ScreenSharing(stage, callNotices, () => call);
const composer = new Composer(captions, () => call, render);
new Pictures(byId("composer"), () => call, captions);
new TranscriptButtons(captions);
const slowTimer = new SlowTimer(render);
const wakeLock = new ScreenWakeLock(document, navigator.wakeLock);

/** @type {CallState} */
let state = IDLE;
/** @type {Call|null} */
let call = null;
/** Whether the page reconnects to the server; otherwise the server reconnects to its model. */
let pageReconnects = false;
/** @type {string|null} a question that was pressed in the lobby, sent once the agent listens */
let pendingQuestion = null;
/** Whether the page is being left. That is no hang-up: the conversation can be resumed. */
let leaving = false;

// ---- before the call

/** @param {import("./view/call_buttons.js").Dialling} how */
async function dial({ withCamera, resume, question }) {
  if (isInCall(state)) return;
  pendingQuestion = question ?? null;
  voice.unlock(); // first, while the browser still counts this as a user gesture
  audioContext();
  if (!resume) captions.clear();
  lobby.leave();
  callNotices.clearAll();
  pageReconnects = false;
  become(enter(state, "asking"));
  const asking = state;
  await devices.open(withCamera, preferences.now.startMuted || preferences.now.pushToTalk);
  if (state !== asking) return; // hung up during the permission prompt
  become(enter(state, "connecting"));
  const connecting = state;
  await showDevices();
  let server;
  try {
    server = await lobby.server();
  } catch (error) {
    if (state === connecting) onEnded(callFailedNotice(error));
    return;
  }
  if (state !== connecting) return;
  const { agent } = lobby;
  sharing.allowed = server.screen_sharing !== false;
  lobby.beginCall(preferences);
  call = new Call({
    signalling: lobby.signalling,
    iceServers: () => lobby.signalling.iceServers(server.ice_servers),
    microphone: microphone.track,
    muted: microphone.silent,
    camera: camera.track,
    agent,
    resume: resume ? resumeToken.valid(Date.now(), agent) : null,
    listener: {
      onMessage,
      onVoice,
      onAnswer: (answer, lost) => onAnswer(answer, lost, agent),
      onReady,
      onReconnecting,
      onEnded,
    },
  });
  await call.start();
}

function onAgentChosen() {
  settings.offerVoices(lobby.voices);
  callButtons.show();
}

// ---- during the call

/**
 * @param {Answer} answer
 * @param {boolean} lost the conversation to resume no longer exists
 * @param {string|null} agent
 */
function onAnswer(answer, lost, agent) {
  resumeToken.callStarted(answer, agent);
  for (const about of ["drain", "idle", "max_call", "allowance"]) callNotices.clear(about);
  recording.reset();
  if (lost) {
    captions.breakOff(CAUSE.lost);
    captions.note("A new conversation: the agent no longer knows what was said before.");
  }
}

/** @param {MediaStreamTrack} track */
function onVoice(track) {
  voice.use(track);
  indicator.use("agent", new LevelMeter(track));
}

function onReady() {
  clock.start();
  wakeLock.hold();
  const ready = call;
  setTimeout(() => {
    if (call !== ready) return; // hung up, and perhaps called again
    const { name, serverLeads } = state;
    const unreported = name === "connecting" && !serverLeads;
    if (unreported || (name === "reconnecting" && pageReconnects)) {
      become(enter(state, "listening"));
    }
  }, STATE_GRACE_MS);
}

/** @param {string} why a sentence */
function onReconnecting(why) {
  pageReconnects = true;
  become(enter(state, "reconnecting", navigator.onLine ? why : "This device has no network."));
}

/** @param {import("./call/channel.js").Message} message */
function onMessage(message) {
  showMessage(message, {
    captions,
    visionChip,
    points,
    screen: sharing.view,
    recording,
    notices: callNotices,
    agentSees: camera.track !== null && isLive(state),
    sendFullResolution: (seconds) => call?.sendFullResolution(seconds),
    onResumed,
    onTextRefused: (text) => composer.giveBack(text),
  });
  const next = afterMessage(state, message);
  if (next.name !== state.name) pageReconnects = false;
  become(next);
}

/** @param {import("./view/captions.js").EarlierLine[]} earlier */
function onResumed(earlier) {
  if (captions.isEmpty) captions.restore(earlier);
  else captions.breakOff(CAUSE.lost);
}

function hangUp() {
  if (call) call.hangUp();
  else onEnded(null);
}

/** @param {Notice|null} notice null: the caller hung up */
function onEnded(notice) {
  call = null;
  const hungUp = notice === null && !leaving;
  resumeToken.callEnded(Date.now(), { hungUp });
  captions.breakOff(hungUp ? CAUSE.hungUp : isLive(state) ? CAUSE.ended : CAUSE.lost);
  holdToTalk.stop();
  devices.close();
  ownVideo.srcObject = null;
  voice.stop();
  indicator.use("agent", null);
  indicator.use("caller", null);
  visionChip.hide();
  points.stop();
  sharing.end();
  recording.reset();
  clock.stop();
  wakeLock.release();
  become(enter(state, "ended", notice ? null : "You hung up.")); // else the card says why
  if (notice) lobby.notices.show("ended", { ...notice, action: null });
  lobby.refresh();
  callButtons.label = notice?.action ?? "Call again";
  callButtons.show();
  callButton.focus();
}

// ---- devices

/** @param {keyof import("./call/preferences.js").Chosen} changed */
function onPreference(changed) {
  if (changed === "speaker") voice.useSpeaker(preferences.now.speaker);
  if (!isInCall(state)) return;
  if (changed === "camera" || changed === "microphone") devices.reselect(changed);
  if (changed === "pushToTalk") {
    holdToTalk.stop();
    microphone.mute(preferences.now.pushToTalk);
    onDevicesChanged();
  }
}

/** Whether the microphone is open only while it is held open. */
function holdsToTalk() {
  return preferences.now.pushToTalk && microphone.isOpen && isInCall(state);
}

/** Switches the camera, on a phone between front and rear; the new one is the chosen one. */
async function switchCamera() {
  await devices.switchCamera();
  const { deviceId } = camera.track?.getSettings() ?? {};
  if (deviceId) preferences.set({ camera: { id: deviceId, name: camera.track?.label ?? "" } });
}

async function onDevicesChanged() {
  await showDevices();
  await call?.useMicrophone(microphone.track, microphone.silent);
  await call?.useCamera(camera.track);
}

async function showDevices() {
  const shown = /** @type {MediaStream|null} */ (ownVideo.srcObject);
  if (shown?.getVideoTracks()[0] !== (camera.track ?? undefined)) {
    ownVideo.srcObject = camera.track ? new MediaStream([camera.track]) : null;
  }
  byId("no-camera").hidden = camera.track !== null;
  byId("no-camera-words").textContent = noVideoText(devices.cameraError);
  document.body.dataset.camera = camera.track ? "on" : "off";
  if (!camera.track) visionChip.hide();
  if (camera.track && isInCall(state)) points.watch();
  else points.stop();
  const audible = microphone.isOpen && isInCall(state);
  indicator.use("caller", audible ? new LevelMeter(microphone.track) : null);
  render(); // before the cameras are counted: a button shows its effect at once
  if (!camera.track) return;
  await camera.count();
  render();
}

// ---- the state on the page

/** @param {CallState} next */
function become(next) {
  if (next === state) return;
  const before = state.name;
  state = next;
  if (before !== state.name) onStateChanged(before);
  render();
}

/** @param {CallState["name"]} before */
function onStateChanged(before) {
  const { name } = state;
  slowTimer.stateChanged(name);
  if (name === "reconnecting") {
    visionChip.hide();
    captions.connectionLost();
    chime.connectionLost();
  } else if (isLive(state)) chime.connected();
  else if (!isInCall(state)) chime.callEnded();
  const spoken = announcement(before, state);
  if (spoken !== null) byId("spoken-state").textContent = spoken;
  if (isLive(state) && pendingQuestion !== null) {
    composer.send(pendingQuestion);
    pendingQuestion = null;
  }
}

function render() {
  const inCall = isInCall(state);
  const live = isLive(state);
  document.body.dataset.view = inCall ? "call" : "lobby";
  document.body.dataset.state = state.name;
  stage.hidden = !inCall;
  byId("lobby").hidden = inCall;
  byId("panel").hidden = !inCall && captions.isEmpty;
  byId("lobby-asks").hidden = !captions.isEmpty;
  byId("composer").hidden = !inCall;
  byId("asks").hidden = !live || !captions.isEmpty;
  const { isOpen: microphoneOpen, muted } = microphone;
  const { pushToTalk } = preferences.now;
  const { title, detail } = describe(state, {
    muted,
    pushToTalk,
    typedOnly: inCall && !microphoneOpen,
    slow: slowTimer.isSlow,
  });
  byId("state").textContent = title;
  byId("state-detail").textContent = detail;
  composer.enable(live);
  const cameraOn = camera.track !== null;
  controls.show({ microphoneOpen, muted, pushToTalk, cameraOn, canSwitch: camera.canSwitch });
  keepFocus();
}

// ---- events

byId("unblock").addEventListener("click", () => voice.play());
ownVideo.addEventListener("resize", () => {
  const { videoWidth, videoHeight } = ownVideo;
  if (videoHeight) stage.style.setProperty("--camera-ratio", (videoWidth / videoHeight).toFixed(4));
  call?.cameraResized();
});
// The button that opened the dialog would otherwise take Space, the key to talk.
byId("settings").addEventListener("close", () => {
  if (isInCall(state)) stage.focus();
});
navigator.mediaDevices?.addEventListener("devicechange", showDevices);
addEventListener("pagehide", () => {
  leaving = true;
  call?.hangUp();
});
addEventListener("pageshow", () => (leaving = false));

voice.useSpeaker(preferences.now.speaker);
lobby.open();
render();
