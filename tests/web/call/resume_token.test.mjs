import assert from "node:assert/strict";
import { test } from "node:test";
import { ResumeToken } from "../../../web/call/resume_token.js";

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
  new ResumeToken(tab).callStarted(ANSWER, "watchman");
  const reloaded = new ResumeToken(tab);
  assert.equal(reloaded.agent, "watchman");
  assert.equal(reloaded.valid(0, "watchman"), "secret");
  assert.equal(reloaded.valid(0, "basic"), null);
  assert.equal(reloaded.valid(0, null), null);
});

test("a server that names no agents has one", () => {
  const resumeToken = new ResumeToken(storage());
  resumeToken.callStarted(ANSWER, null);
  assert.equal(resumeToken.valid(0, null), "secret");
});

test("it can be continued for as long as the server says, from the end of the call", () => {
  const resumeToken = new ResumeToken(storage());
  resumeToken.callStarted(ANSWER, "a");
  assert.equal(resumeToken.valid(1e12, "a"), "secret");
  resumeToken.callEnded(1_000, { hungUp: true });
  assert.equal(resumeToken.hungUp, true);
  assert.equal(resumeToken.valid(60_999, "a"), "secret");
  assert.equal(resumeToken.valid(61_000, "a"), null);
});

test("a server that gives no token leaves nothing to continue", () => {
  const tab = storage();
  const resumeToken = new ResumeToken(tab);
  resumeToken.callStarted(ANSWER, "a");
  resumeToken.callStarted({}, "a");
  assert.equal(resumeToken.valid(0, "a"), null);
  assert.deepEqual(tab.kept, {});
});

test("pages under two prefixes of one origin keep theirs apart", () => {
  const tab = storage();
  new ResumeToken(tab, "/one/").callStarted(ANSWER, "a");
  assert.equal(new ResumeToken(tab, "/two/").valid(0, "a"), null);
  assert.equal(new ResumeToken(tab, "/").valid(0, "a"), null);
  assert.equal(new ResumeToken(tab, "/one/").valid(0, "a"), "secret");
});

test("what somebody else has written there is nothing to continue", () => {
  for (const odd of ["{", "7", "null", '{"token": 7}', '{"token": "t"}']) {
    const resumeToken = new ResumeToken(storage({ "vision-agent.thread": odd }));
    assert.equal(resumeToken.valid(0, "a"), null, odd);
    assert.equal(resumeToken.agent, null);
  }
});

test("a full storage costs nothing before the page is left", (context) => {
  context.mock.method(console, "warn", () => {});
  const full = {
    ...storage(),
    setItem: () => {
      throw new DOMException("", "QuotaExceededError");
    },
  };
  const resumeToken = new ResumeToken(full);
  resumeToken.callStarted(ANSWER, "a");
  assert.equal(resumeToken.valid(0, "a"), "secret");
});
