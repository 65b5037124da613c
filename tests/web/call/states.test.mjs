import assert from "node:assert/strict";
import { test } from "node:test";
import {
  afterMessage,
  announcement,
  describe,
  enter,
  IDLE,
  isInCall,
  isLive,
} from "../../../web/call/states.js";

const after = (state, ...messages) => messages.reduce(afterMessage, state);
const own = (state, reason) => ({ type: "server-message", data: { kind: "state", state, reason } });
const connecting = enter(IDLE, "connecting");
const NOW = { muted: false, typedOnly: false, slow: false };

test("once a server has reported its state, its word counts", () => {
  const led = after(connecting, own("listening"), { type: "bot-started-speaking" });
  assert.equal(led.name, "listening");
  assert.equal(after(led, own("speaking")).name, "speaking");
  assert.equal(after(led, own("reconnecting", "The model is away.")).reason, "The model is away.");
});

test("with any other server the state is derived from who is speaking", () => {
  const names = [];
  let state = connecting;
  for (const type of [
    "bot-llm-started",
    "bot-started-speaking",
    "bot-llm-started",
    "bot-stopped-speaking",
  ]) {
    state = afterMessage(state, { type });
    names.push(state.name);
  }
  assert.deepEqual(names, ["thinking", "speaking", "speaking", "listening"]);
});

test("a late message does not revive a call that has ended", () => {
  const ended = enter(after(connecting, own("listening")), "ended");
  assert.equal(after(ended, own("speaking"), { type: "bot-started-speaking" }), ended);
});

test("an unknown state changes nothing", () => {
  assert.equal(after(connecting, own("dancing"), { type: "server-message" }), connecting);
});

test("a new call forgets that the server led the last one", () => {
  const led = after(connecting, own("listening"));
  assert.equal(enter(led, "reconnecting").serverLeads, true);
  assert.equal(enter(led, "asking").serverLeads, false);
});

test("a call begins with the permission prompt and is live from listening on", () => {
  for (const name of ["asking", "connecting", "reconnecting", "listening"]) {
    assert.ok(isInCall(enter(IDLE, name)));
  }
  assert.ok(!isInCall(IDLE) && !isInCall(enter(IDLE, "ended")));
  assert.ok(isLive(enter(IDLE, "speaking")) && !isLive(enter(IDLE, "reconnecting")));
});

test("a slow state is mentioned, unless there is a reason to show", () => {
  for (const name of ["thinking", "connecting"]) {
    assert.doesNotMatch(describe(enter(IDLE, name), NOW).detail, /longer/);
    assert.match(describe(enter(IDLE, name), { ...NOW, slow: true }).detail, /longer than usual/);
    assert.equal(describe(enter(IDLE, name, "Why."), { ...NOW, slow: true }).detail, "Why.");
  }
});

test("a caller who can't be heard reads what to do", () => {
  const listening = enter(IDLE, "listening");
  assert.match(describe(listening, { ...NOW, typedOnly: true }).detail, /type below/);
  assert.match(describe(listening, { ...NOW, muted: true }).detail, /muted/);
  const speaking = enter(IDLE, "speaking");
  assert.match(describe(speaking, NOW).detail, /interrupt/);
  assert.equal(describe(speaking, { ...NOW, muted: true }).detail, "");
});

test("every state has a title", () => {
  for (const name of [
    "idle",
    "asking",
    "connecting",
    "listening",
    "thinking",
    "speaking",
    "reconnecting",
    "ended",
  ]) {
    assert.ok(describe(enter(IDLE, name), NOW).title);
  }
});

test("what changes the call is announced, turns are not", () => {
  const said = (before, name, reason) => announcement(before, enter(IDLE, name, reason));
  assert.equal(said("asking", "connecting"), "Connecting");
  assert.equal(said("connecting", "listening"), "Connected.");
  assert.equal(said("listening", "thinking"), null);
  assert.equal(said("thinking", "reconnecting"), "Reconnecting");
  assert.equal(said("reconnecting", "speaking"), "Connected.");
  assert.equal(said("speaking", "ended", "You hung up."), "Call ended. You hung up.");
  assert.equal(said("speaking", "ended"), "Call ended.");
});
