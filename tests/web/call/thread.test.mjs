import assert from "node:assert/strict";
import { test } from "node:test";
import { Thread } from "../../../web/call/thread.js";

function storage(kept = {}) {
  return {
    kept,
    getItem: (key) => kept[key] ?? null,
    setItem: (key, value) => (kept[key] = value),
    removeItem: (key) => delete kept[key],
  };
}

const ANSWER = { resume: "secret", resume_within_s: 60 };

test("a conversation is continued with the agent it was with, and with no other", () => {
  const tab = storage();
  new Thread(tab).begin(ANSWER, "watchman");
  const reloaded = new Thread(tab);
  assert.equal(reloaded.agent, "watchman");
  assert.equal(reloaded.token(0, "watchman"), "secret");
  assert.equal(reloaded.token(0, "basic"), null);
  assert.equal(reloaded.token(0, null), null);
});

test("a server that names no agents has one", () => {
  const thread = new Thread(storage());
  thread.begin(ANSWER, null);
  assert.equal(thread.token(0, null), "secret");
});

test("it can be continued for as long as the server says, from the end of the call", () => {
  const thread = new Thread(storage());
  thread.begin(ANSWER, "a");
  assert.equal(thread.token(1e12, "a"), "secret");
  thread.leave(1_000, { hungUp: true });
  assert.equal(thread.hungUp, true);
  assert.equal(thread.token(60_999, "a"), "secret");
  assert.equal(thread.token(61_000, "a"), null);
});

test("a server that gives no token leaves nothing to continue", () => {
  const tab = storage();
  const thread = new Thread(tab);
  thread.begin(ANSWER, "a");
  thread.begin({}, "a");
  assert.equal(thread.token(0, "a"), null);
  assert.deepEqual(tab.kept, {});
});

test("pages under two prefixes of one origin keep theirs apart", () => {
  const tab = storage();
  new Thread(tab, "/one/").begin(ANSWER, "a");
  assert.equal(new Thread(tab, "/two/").token(0, "a"), null);
  assert.equal(new Thread(tab, "/").token(0, "a"), null);
  assert.equal(new Thread(tab, "/one/").token(0, "a"), "secret");
});

test("what somebody else has written there is nothing to continue", () => {
  for (const odd of ["{", "7", "null", '{"token": 7}', '{"token": "t"}']) {
    const thread = new Thread(storage({ "vision-agent.thread": odd }));
    assert.equal(thread.token(0, "a"), null, odd);
    assert.equal(thread.agent, null);
  }
});

test("a full storage costs nothing before the page is left", (context) => {
  context.mock.method(console, "warn", () => {});
  const full = { ...storage(), setItem: () => { throw new DOMException("", "QuotaExceededError"); } };
  const thread = new Thread(full);
  thread.begin(ANSWER, "a");
  assert.equal(thread.token(0, "a"), "secret");
});
