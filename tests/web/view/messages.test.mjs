import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { showMessage } from "../../../web/view/messages.js";

/** A part of the page that records its calls in `told`; `own` are methods with a result. */
function part(told, name, own = {}) {
  const remember =
    (what) =>
    (...how) =>
      told.push([name, what, ...how]);
  return new Proxy(own, { get: (own, what) => own[what] ?? remember(what) });
}

let told, page;
beforeEach(() => {
  told = [];
  page = {
    captions: part(told, "captions", { refuse: (id) => (id === "typed" ? "hello" : null) }),
    visionChip: part(told, "visionChip"),
    points: part(told, "points"),
    notices: part(told, "notices"),
    agentSees: true,
    sendFullResolution: (seconds) => told.push(["sendFullResolution", seconds]),
    onResumed: (earlier) => told.push(["onResumed", earlier]),
    onTextRefused: (text) => told.push(["onTextRefused", text]),
  };
});
const own = (data) => showMessage({ type: "server-message", data }, page);

test("a server's notice becomes a card, with a countdown if the call ends", () => {
  own({ kind: "notice", about: "tools", text: "The tools of 'stock' did not load.", left_s: null });
  own({ kind: "notice", about: "drain", text: "It restarts.", left_s: 30 });
  own({ kind: "notice_over", about: "drain" });
  const [[, , , card, how], [, , , , counted], over] = told;
  assert.equal(card.text, "The tools of 'stock' did not load.");
  assert.equal(card.title, "From the server");
  assert.equal(how.leftS, null);
  assert.equal(counted.leftS, 30);
  assert.deepEqual(over, ["notices", "clear", "drain"]);
});

test("a notice says that the call ends only if it does", () => {
  for (const [about, leftS] of [["weather"], ["weather", 20], ["idle", 20]]) {
    own({ kind: "notice", about, text: "x", left_s: leftS });
  }
  const titles = told.map(([, , , { title }]) => title);
  assert.deepEqual(titles, ["From the server", "The call ends soon", "Are you still there?"]);
});

test("whether the call is recorded is shown, and a recording is announced", () => {
  page.recording = part(told, "recording");
  own({ kind: "recording", on: true });
  own({ kind: "recording", on: false, reason: "The disk is full" });
  assert.deepEqual(told, [
    ["captions", "announce", "This call is recorded."],
    ["recording", "changed", true, undefined],
    ["recording", "changed", false, "The disk is full"],
  ]);
});

test("frames and points are not shown while the agent can't see", () => {
  page.agentSees = false;
  for (const kind of ["frame", "frame_at_speech_end", "point"]) own({ kind });
  assert.deepEqual(told, []);
});

test("what the agent points at is announced", () => {
  own({ kind: "point", label: "Red square" });
  assert.deepEqual(told, [
    ["points", "show", { kind: "point", label: "Red square" }],
    ["captions", "announce", "The agent points at: Red square."],
  ]);
});

test("a fatal error is left to the end of the call", () => {
  showMessage({ type: "error", data: { message: "No.", fatal: true } }, page);
  showMessage({ type: "error", data: { error: "Odd.", fatal: false } }, page);
  assert.deepEqual(told, [["captions", "note", "Odd.", "error"]]);
});

test("a refused typed line goes back to the input field and is no general error", () => {
  showMessage({ type: "error", id: "typed", data: { error: "Too fast.", fatal: false } }, page);
  assert.deepEqual(told, [["onTextRefused", "hello"]]);
});

test("unknown and empty messages change nothing", () => {
  own(undefined);
  own({ kind: "dance" });
  showMessage({ type: "metrics", data: {} }, page);
  assert.deepEqual(told, []);
});
