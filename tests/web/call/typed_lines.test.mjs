import assert from "node:assert/strict";
import { test } from "node:test";
import { TypedLines } from "../../../web/call/typed_lines.js";

/** @param {...string} texts one line a second, from 0 on */
function typed(...texts) {
  const lines = new TypedLines();
  texts.forEach((text, second) => {
    lines.sent({ id: `${second}`, text, atMs: 1_000 * second });
  });
  return lines;
}

/**
 * @param {TypedLines} lines
 * @param {number} atMs
 */
function lost(lines, atMs) {
  lines.lost(atMs);
  return lines;
}

/** @param {string[]} texts */
const said = (texts) => [
  { who: "agent", text: "where?" },
  ...texts.map((text) => ({ who: "user", text })),
];

/** @param {{id: string}[]} lines */
const ids = (lines) => lines.map(({ id }) => id);

test("what the conversation has is not sent again, and what it lacks is, in its order", () => {
  const whole = ["yes", "The camera: who?", "yes", "where?"];
  assert.deepEqual(
    ids(lost(typed("yes", "who?", "yes ", "where?"), 4_000).missing(said(whole))),
    [],
  );
  const lines = typed("yes", "who?", "yes ", "where?");
  assert.deepEqual(ids(lost(lines, 4_000).missing(said(whole.slice(0, 2)))), ["2", "3"]);
  // They are in the conversation now, and not sent again.
  assert.deepEqual(ids(lost(lines, 5_000).missing(said(whole))), []);
});

test("what was typed long ago, or is too long to be found, is not sent again", () => {
  const lines = typed("one", "x".repeat(1_001));
  assert.deepEqual(ids(lost(lines, 10_000).unsure()), ["1"]);
  assert.deepEqual(ids(lost(lines, 10_000).missing([])), []);
});

test("where the conversation is gone, what was not answered is sent again", () => {
  const lines = typed("one", "two");
  assert.deepEqual(ids(lost(lines, 2_000).unanswered()), ["0", "1"]);
  lines.answered();
  assert.deepEqual(ids(lost(lines, 2_000).unanswered()), []);
  lines.sent({ id: "2", text: "three", atMs: 2_000 });
  assert.deepEqual(ids(lost(lines, 3_000).unanswered()), ["2"]);
  assert.deepEqual(ids(lost(lines, 12_000).unanswered()), []);
});
