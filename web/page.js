// The page: who is told what. Each part knows its own business; here they meet.

import { audioContext } from "./media/audio_context.js";
import { Call } from "./call/call.js";
import { CAUSE, Captions } from "./view/captions.js";
import { MAX_TEXT_CHARS } from "./call/channel.js";
import { Clock } from "./view/clock.js";
import { Controls } from "./view/controls.js";
import { BackCue } from "./media/cue.js";
import { Devices } from "./media/devices.js";
import { element } from "./view/elements.js";
import { focusKeeper } from "./view/focus.js";
import { Indicator } from "./view/indicator.js";
import { Level } from "./media/level.js";
import { Lobby } from "./view/lobby.js";
import { Looks } from "./view/looks.js";
import { showMessage } from "./view/messages.js";
import { Notices } from "./view/notices.js";
import { Points } from "./view/points.js";
import { callProblem, noPictureWords } from "./call/problems.js";
import { IDLE, afterMessage, enter, isInCall, isLive, titleOf, wordsFor } from "./call/states.js";
import { Thread, tabStorage } from "./call/thread.js";
import { Voice } from "./media/voice.js";
import { ScreenWakeLock } from "./view/wake_lock.js";

const STATE_GRACE_MS = 300;
// Thinking or connecting for so long is worth a word.
const SLOW_AFTER_MS = 4_000;

/** @type {(id: string) => any} one of the elements of index.html, of whichever kind it is there */
const at = (id) => document.getElementById(id);

const captions = new Captions(at("captions"), at("spoken-captions"));
const clock = new Clock(at("clock"));
const backCue = new BackCue();
const indicator = new Indicator(at("indicator"));
const looks = new Looks(at("stage"), at("looks"));
const points = new Points(at("points"), at("own"));
const thread = new Thread(tabStorage(), location.pathname.replace(/[^/]*$/, ""));
const keepFocus = focusKeeper(() => at(isInCall(state) ? "stage" : "call"));
const lobby = new Lobby(at("lobby"), { wanted: thread.agent, onAgent: () => showThread() });
const callNotices = new Notices(at("call-notices"), () => keepFocus());
const voice = new Voice(at("voice"), (blocked) => (at("unblock").hidden = !blocked));
const devices = new Devices({
  onMissing: (kind, problem) =>
    callNotices.show(kind, problem, { onAction: () => devices.retry(kind), dismissable: true }),
  onFound: () => ["camera", "microphone", "both"].forEach((kind) => callNotices.clear(kind)),
  onChange: sendDevices,
});
const { camera, microphone } = devices;
const controls = new Controls(at("controls"), {
  microphone: () => devices.toggleMicrophone(),
  camera: () => devices.toggleCamera(),
  switch: () => devices.switchCamera(),
  "hang-up": hangUp,
});

const wakeLock = new ScreenWakeLock(document, navigator.wakeLock);
let state = IDLE;
/** @type {Call|null} */
let call = null;
/** The page lost its peer; without this it is the server that reconnects, to its model. */
let ownReconnection = false;
let slow = false;
let slowTimer;
/** A question that was pressed before there was a call. @type {string|null} */
let toAsk = null;
/** What the large button says if there is nothing to continue. */
let callWords = "Call";
/** The page is being left: not a hang-up, and what was said can be continued. */
let leaving = false;

// ---- before the call

/**
 * @param {{withCamera: boolean, anew: boolean, ask?: string}} how anew: whatever was said before is
 *   left behind; ask: as soon as the agent listens
 */
async function dial({ withCamera, anew, ask }) {
  if (isInCall(state)) return;
  toAsk = ask ?? null;
  voice.unlock(); // first, while the click still counts
  audioContext();
  if (anew) captions.clear();
  lobby.notices.clearAll();
  callNotices.clearAll();
  ownReconnection = false;
  become(enter(state, "asking"));
  const asked = state;
  await devices.open(withCamera);
  if (state !== asked) return; // hung up while the browser was asking
  become(enter(state, "connecting"));
  const connecting = state;
  await showDevices();
  let server;
  try {
    server = await lobby.server();
  } catch (error) {
    if (state === connecting) ended(callProblem(error));
    return;
  }
  if (state !== connecting) return;
  const { agent } = lobby;
  const resume = anew ? null : thread.token(Date.now(), agent);
  call = new Call({
    signalling: lobby.signalling,
    iceServers: server.ice_servers ?? [],
    microphone: microphone.track,
    muted: microphone.silent,
    camera: camera.track,
    agent,
    resume,
    listener: {
      onMessage,
      onVoice,
      onAnswer: (answer, forgotten) => onAnswer(answer, forgotten, agent),
      onReady,
      onReconnecting,
      onEnded: ended,
    },
  });
  await call.start();
}

// ---- during the call

function onReady() {
  clock.start();
  wakeLock.hold();
  // A server that says its state is about to, at least at first; one that doesn't listens.
  const ready = call;
  setTimeout(() => {
    if (call !== ready) return; // hung up, and perhaps called again
    const { name, serverLeads } = state;
    const silent = name === "connecting" && !serverLeads;
    if (silent || (name === "reconnecting" && ownReconnection)) {
      become(enter(state, "listening"));
    }
  }, STATE_GRACE_MS);
}

function onAnswer(answer, forgotten, agent) {
  thread.begin(answer, agent);
  for (const about of ["drain", "idle", "max_call"]) callNotices.clear(about);
  if (forgotten) {
    captions.breakOff(CAUSE.lost);
    captions.note("A new conversation: the agent no longer knows what was said before.");
  }
}

function onVoice(track) {
  voice.use(track);
  indicator.use("agent", new Level(track));
}

function onReconnecting(why) {
  ownReconnection = true;
  become(enter(state, "reconnecting", navigator.onLine ? why : "This device has no network."));
}

function onMessage(message) {
  showMessage(message, {
    captions,
    looks,
    points,
    notices: callNotices,
    seen: camera.track !== null && isLive(state),
    fullPicture: (seconds) => call?.fullPicture(seconds),
    resumed,
    takeBack: (text) => (at("text").value ||= text),
  });
  const next = afterMessage(state, message);
  if (next.name !== state.name) ownReconnection = false;
  become(next);
}

function resumed(earlier) {
  if (captions.isEmpty) captions.restore(earlier);
  else captions.breakOff(CAUSE.lost);
}

function hangUp() {
  if (call) call.hangUp();
  else ended(null);
}

/** @param {import("./call/problems.js").Problem|null} problem null: hung up by the person */
function ended(problem) {
  call = null;
  const hungUp = problem === null && !leaving;
  thread.leave(Date.now(), { hungUp });
  captions.breakOff(hungUp ? CAUSE.hungUp : isLive(state) ? CAUSE.ended : CAUSE.lost);
  devices.close();
  at("own").srcObject = null;
  voice.stop();
  indicator.use("agent", null);
  indicator.use("caller", null);
  looks.stop();
  points.stop();
  clock.stop();
  wakeLock.release();
  become(enter(state, "ended", problem ? null : "You hung up.")); // else the card says why
  if (problem) lobby.notices.show("ended", { ...problem, action: null });
  toAsk = null;
  callWords = problem?.action ?? "Call again";
  showThread();
  at("call").focus();
}

// ---- the conversation that can be continued

/** The large button does what is likelier wanted, the small one the other thing. */
function showThread() {
  const continues = thread.token(Date.now(), lobby.agent) !== null;
  const first = continues && !thread.hungUp;
  at("call-words").textContent = first ? "Continue" : callWords;
  at("other-thread").textContent = first ? "Start anew" : "Continue the conversation";
  at("other-thread").hidden = !continues;
}

const anewByCall = () => thread.token(Date.now(), lobby.agent) === null || thread.hungUp;

// ---- devices

async function sendDevices() {
  await showDevices();
  await call?.useMicrophone(microphone.track, microphone.silent);
  await call?.useCamera(camera.track);
}

async function showDevices() {
  const own = at("own");
  if (own.srcObject?.getVideoTracks()[0] !== camera.track) {
    own.srcObject = camera.track ? new MediaStream([camera.track]) : null;
  }
  at("no-picture").hidden = camera.track !== null;
  at("no-picture-words").textContent = noPictureWords(devices.cameraError);
  document.body.dataset.picture = camera.track ? "camera" : "none";
  if (!camera.track) looks.stop();
  if (camera.track && isInCall(state)) points.watch();
  else points.stop();
  const heard = microphone.isOpen && isInCall(state);
  indicator.use("caller", heard ? new Level(microphone.track) : null);
  render(); // a button shows at once what it has done
  if (!camera.track) return;
  await camera.count();
  render();
}

// ---- what is seen

function become(next) {
  if (next === state) return;
  const before = state.name;
  state = next;
  if (before !== state.name) changed(before);
  render();
}

/** @param {string} before the state's name */
function changed(before) {
  const { name } = state;
  clearTimeout(slowTimer);
  slow = false;
  if (name === "thinking" || name === "connecting") {
    slowTimer = setTimeout(() => {
      slow = true;
      render();
    }, SLOW_AFTER_MS);
  }
  if (name === "reconnecting") {
    looks.stop(); // it sees nothing while it is away
    captions.connectionLost();
  }
  announce(before);
  if (isLive(state) && toAsk !== null) {
    say(toAsk);
    toAsk = null;
  }
}

function announce(before) {
  const { name, reason } = state;
  if (name === "reconnecting") backCue.away();
  else if (isLive(state)) backCue.back();
  else if (!isInCall(state)) backCue.forget();
  // Turns are heard; only what changes the call itself is worth interrupting a screen reader for.
  if (name === "ended") at("spoken-state").textContent = ["Call ended.", reason].filter(Boolean).join(" ");
  else if (name === "connecting" || name === "reconnecting") {
    at("spoken-state").textContent = titleOf(state);
  } else if (isLive(state) && (before === "connecting" || before === "reconnecting")) {
    at("spoken-state").textContent = "Connected.";
  }
}

function render() {
  const inCall = isInCall(state);
  document.body.dataset.view = inCall ? "call" : "lobby";
  document.body.dataset.state = state.name;
  at("stage").hidden = !inCall;
  at("lobby").hidden = inCall;
  const said = !captions.isEmpty;
  at("panel").hidden = !inCall && !said;
  at("lobby-asks").hidden = said;
  at("composer").hidden = !inCall;
  at("asks").hidden = !inCall || said || !isLive(state);
  const { isOpen: microphoneOpen, muted } = microphone;
  const typedOnly = inCall && !microphoneOpen;
  const { title, detail } = wordsFor(state, { muted, typedOnly, slow });
  at("state").textContent = title;
  at("state-detail").textContent = detail;
  at("text").disabled = !isLive(state);
  controls.show({
    microphoneOpen,
    muted,
    cameraOn: camera.track !== null,
    canSwitch: camera.canSwitch,
  });
  keepFocus();
}

function say(text) {
  const { length } = [...text];
  if (length > MAX_TEXT_CHARS) {
    const most = MAX_TEXT_CHARS.toLocaleString("en");
    const words = `The text is too long: ${length.toLocaleString("en")} characters, and at most ${most} are taken at once. Send it in parts.`;
    captions.note(words, "error");
    return false;
  }
  const id = (text && call?.sendText(text)) || null;
  if (id === null) return false;
  captions.typed(text, id);
  render();
  return true;
}

// ---- wiring

at("call").addEventListener("click", () => dial({ withCamera: true, anew: anewByCall() }));
at("call-voice").addEventListener("click", () => dial({ withCamera: false, anew: anewByCall() }));
at("other-thread").addEventListener("click", () => dial({ withCamera: true, anew: !anewByCall() }));
at("unblock").addEventListener("click", () => voice.play());
at("own").addEventListener("resize", ({ target: { videoWidth, videoHeight } }) => {
  if (videoHeight) at("stage").style.setProperty("--ratio", (videoWidth / videoHeight).toFixed(4));
  call?.pictureResized();
});
at("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  if (say(at("text").value.trim())) at("text").value = "";
});
for (const asked of at("lobby-asks").querySelectorAll("button")) {
  const words = asked.textContent;
  asked.addEventListener("click", () => dial({ withCamera: true, anew: anewByCall(), ask: words }));
  const again = element("button", "", words);
  again.type = "button";
  again.addEventListener("click", () => say(words));
  at("asks").append(again);
}
navigator.mediaDevices?.addEventListener("devicechange", showDevices);
addEventListener("pagehide", () => {
  leaving = true;
  call?.hangUp();
});
addEventListener("pageshow", () => (leaving = false));

lobby.open();
render();
