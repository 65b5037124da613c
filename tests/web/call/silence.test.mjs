import assert from "node:assert/strict";
import { test } from "node:test";
import { Silence } from "../../../web/call/silence.js";

/** The verdicts of four checks a second; `packets` gives how many have arrived at each. */
const looks = (silence, fromMs, count, packets) =>
  Array.from({ length: count }, (_, i) => silence.judge(fromMs + 250 * i, packets(i)));

test("a connection that carries packets stands, and a stutter is nothing", () => {
  const silence = new Silence(0);
  assert.deepEqual(new Set(looks(silence, 0, 100, (i) => 3 * Math.floor(i / 2))), new Set([null]));
});

test("in a silence the server is asked once a second, and after four it is a loss", () => {
  const silence = new Silence(0);
  silence.judge(1_000, 50);
  const [first, ...rest] = looks(silence, 1_250, 16, () => 50).map((what) => what ?? "-");
  assert.equal(first, "-");
  assert.equal(rest.join(" "), "- ask - - - ask - - - ask - - - ask lost");
});

test("a connection on which nothing ever arrives is lost, too", () => {
  assert.equal(new Silence(0).judge(4_000, 0), "lost");
});

test("what arrives after a silence ends it, however rarely a hidden page looks", () => {
  const silence = new Silence(0);
  silence.judge(1_000, 50);
  assert.equal(silence.judge(2_000, 50), "ask");
  assert.equal(silence.judge(3_000, 51), null);
  assert.equal(silence.judge(4_000, 51), "ask");
  assert.equal(silence.judge(7_000, 51), "lost");
});
