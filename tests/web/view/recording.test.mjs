import assert from "node:assert/strict";
import { test } from "node:test";
import { news } from "../../../web/view/recording.js";

test("a caller is told that the recording has ended, or that there is none, once", () => {
  const told = (asked, ...said) =>
    said.map((on, at) => news(at === 0 ? null : said[at - 1], on, asked));
  assert.deepEqual(told(true, true, true, false, false), [
    null,
    null,
    "The recording has ended",
    null, // a new connection repeats the state
  ]);
  assert.deepEqual(told(true, false, false), ["This call is not recorded", null]);
  assert.deepEqual(told(false, false), [null]);
  // The program that the server runs in began the recording.
  assert.deepEqual(told(false, true, false), [null, "The recording has ended"]);
});
