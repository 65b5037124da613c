import assert from "node:assert/strict";
import { test } from "node:test";
import { fileName, transcriptText } from "../../../web/view/transcript.js";

process.env.TZ = "Asia/Kolkata";

const EVENING_MS = Date.UTC(2026, 10, 26, 18, 29, 58); // 23:59:58 there
const line = (who, text, more) => ({ who, text, typed: false, cut: "", atMs: null, ...more });

test("every line has its time and who said it, under the day it was said on", () => {
  const text = transcriptText("Shop", [
    line("You", "What do you see?", { atMs: EVENING_MS }),
    line("Agent", "Two bottles.\u2028\r\n One is red.", { atMs: EVENING_MS + 1_500 }),
    line("You", "Thanks", { typed: true, atMs: EVENING_MS + 3_000 }),
    line("Agent", "You are …", { cut: "(you interrupted)", atMs: EVENING_MS + 4_000 }),
  ]);
  assert.equal(
    text,
    `Shop

2026-11-26 (UTC+05:30)

23:59:58 You: What do you see?
23:59:59 Agent: Two bottles. One is red.

2026-11-27 (UTC+05:30)

00:00:01 You (typed): Thanks
00:00:02 Agent: You are … (you interrupted)
`,
  );
});

test("what was said in an earlier call has no time", () => {
  const text = transcriptText("Shop", [
    line("You", "Hello"),
    line("Agent", "Hello again.", { atMs: EVENING_MS }),
  ]);
  assert.match(
    text,
    /\n\nBefore this call\n\nYou: Hello\n\n2026-11-26 .*\n\n23:59:58 Agent: Hello/,
  );
});

test("the file is named after the agent and the time, in letters that every system takes", () => {
  assert.equal(fileName("Ray's Shop: A/B", EVENING_MS), "ray-s-shop-a-b-2026-11-26-23-59.txt");
  assert.equal(fileName("店員", EVENING_MS), "店員-2026-11-26-23-59.txt");
  assert.equal(fileName("?", EVENING_MS), "transcript-2026-11-26-23-59.txt");
  assert.equal(fileName("𠀀".repeat(99), EVENING_MS), `${"𠀀".repeat(50)}-2026-11-26-23-59.txt`);
});
