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

/** @param {{id: string}[]} lines */
const ids = (lines) => lines.map(({ id }) => id);

test("what the conversation has is not sent again, and what it lacks is, in its order", () => {
  const whole = ["yes", "The camera: who?", "yes", "where?"];
  assert.deepEqual(ids(typed("yes", "who?", "yes ", "where?").missing(whole, 4_000)), []);
  const lines = typed("yes", "who?", "yes ", "where?");
  assert.deepEqual(ids(lines.missing(whole.slice(0, 2), 4_000)), ["2", "3"]);
  // They are there now, and lack no more.
  assert.deepEqual(ids(lines.missing(whole, 5_000)), []);
});

test("what was typed long ago, or is too long to be found, is not sent again", () => {
  const lines = typed("one", "x".repeat(1_001));
  assert.deepEqual(ids(lines.unsure(10_000)), ["1"]);
  assert.deepEqual(ids(lines.missing([], 10_000)), []);
});

test("where the conversation is gone, what was not answered is sent again", () => {
  const lines = typed("one", "two");
  assert.deepEqual(ids(lines.unanswered(2_000)), ["0", "1"]);
  lines.answered();
  assert.deepEqual(ids(lines.unanswered(2_000)), []);
  lines.sent({ id: "2", text: "three", atMs: 2_000 });
  assert.deepEqual(ids(lines.unanswered(3_000)), ["2"]);
  assert.deepEqual(ids(lines.unanswered(12_000)), []);
});
