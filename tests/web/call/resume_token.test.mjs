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

test("a conversation is resumed with its own agent only", () => {
  const tab = storage();
  new ResumeToken(tab).callStarted(ANSWER, "watchman");
  const reloaded = new ResumeToken(tab);
  assert.equal(reloaded.agent, "watchman");
  assert.equal(reloaded.valid(0, "watchman"), "secret");
  assert.equal(reloaded.valid(0, "basic"), null);
  assert.equal(reloaded.valid(0, null), null);
});

test("a server that names no agents has one agent", () => {
  const resumeToken = new ResumeToken(storage());
  resumeToken.callStarted(ANSWER, null);
  assert.equal(resumeToken.valid(0, null), "secret");
});

test("a token is valid for as long as the server says, from the end of the call", () => {
  const resumeToken = new ResumeToken(storage());
  resumeToken.callStarted(ANSWER, "a");
  assert.equal(resumeToken.valid(1e12, "a"), "secret");
  resumeToken.callEnded(1_000, { hungUp: true });
  assert.equal(resumeToken.hungUp, true);
  assert.equal(resumeToken.valid(60_999, "a"), "secret");
  assert.equal(resumeToken.valid(61_000, "a"), null);
});

test("without a token from the server there is nothing to resume", () => {
  const tab = storage();
  const resumeToken = new ResumeToken(tab);
  resumeToken.callStarted(ANSWER, "a");
  resumeToken.callStarted({}, "a");
  assert.equal(resumeToken.valid(0, "a"), null);
  assert.deepEqual(tab.kept, {});
});

test("pages under two prefixes of one origin have separate tokens", () => {
  const tab = storage();
  new ResumeToken(tab, "/one/").callStarted(ANSWER, "a");
  assert.equal(new ResumeToken(tab, "/two/").valid(0, "a"), null);
  assert.equal(new ResumeToken(tab, "/").valid(0, "a"), null);
  assert.equal(new ResumeToken(tab, "/one/").valid(0, "a"), "secret");
});

test("another program's entry in the storage is ignored", () => {
  for (const odd of ["{", "7", "null", '{"token": 7}', '{"token": "t"}']) {
    const resumeToken = new ResumeToken(storage({ "vision-agent.thread": odd }));
    assert.equal(resumeToken.valid(0, "a"), null, odd);
    assert.equal(resumeToken.agent, null);
  }
});

test("with a full storage the token lasts until the page is left", (context) => {
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
