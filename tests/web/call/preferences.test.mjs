import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULTS, Preferences } from "../../../web/call/preferences.js";

/** @param {string|null} kept */
function storage(kept = null) {
  return {
    kept,
    getItem() {
      return this.kept;
    },
    setItem(_key, value) {
      this.kept = value;
    },
  };
}

test("what was chosen is there at the next visit", () => {
  const device = storage();
  new Preferences(device).set({ voice: "Kore", pushToTalk: true });
  assert.deepEqual(new Preferences(device).now, { ...DEFAULTS, voice: "Kore", pushToTalk: true });
});

for (const kept of [
  "{",
  "null",
  "[1]",
  '"text"',
  '{"pushToTalk": "yes", "voice": 3, "camera": "a", "speaker": {"id": 1}, "other": 1}',
]) {
  test(`what is no choice is not taken: ${kept}`, () => {
    assert.deepEqual(new Preferences(storage(kept)).now, DEFAULTS);
  });
}

test("without storage a choice lasts as long as the page", () => {
  const preferences = new Preferences(null);
  preferences.set({ captions: "large" });
  assert.equal(preferences.now.captions, "large");
});
