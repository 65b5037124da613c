import assert from "node:assert/strict";
import { test } from "node:test";
import { RecordingChoice } from "../../../web/call/recording_choice.js";

function tab() {
  const kept = new Map();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
}

function offered(calls, needs_consent, storage = tab()) {
  const choice = new RecordingChoice(storage, "/");
  choice.offer({ calls, needs_consent });
  return choice;
}

test("without the caller's word the server's setting decides, and never for a consent", () => {
  const unsaid = (calls, consent) => {
    const { now, isOffered, options } = offered(calls, consent);
    return [now, isOffered, options];
  };
  assert.deepEqual(unsaid("none", false), ["no", false, { record: false }]);
  assert.deepEqual(unsaid("asked", false), ["no", true, { record: false }]);
  assert.deepEqual(unsaid("unless_declined", false), ["yes", true, { record: true }]);
  assert.deepEqual(unsaid("all", false), ["yes", false, { record: true }]);
  for (const calls of ["asked", "unless_declined", "all"]) {
    assert.deepEqual(unsaid(calls, true), [null, true, { record: false }]);
  }
});

test("the caller's word counts, and a yes is the consent where one is needed", () => {
  const said = (calls, consent, answer) => {
    const choice = offered(calls, consent);
    choice.choose(answer);
    return choice.options;
  };
  assert.deepEqual(said("asked", false, "yes"), { record: true });
  assert.deepEqual(said("unless_declined", false, "no"), { record: false });
  assert.deepEqual(said("all", true, "yes"), { record: true, record_consent: true });
  assert.deepEqual(said("all", true, "no"), { record: false });
});

test("it is kept for the tab, and no consent is made of another answer", () => {
  const storage = tab();
  offered("unless_declined", false, storage).choose("yes");
  assert.equal(offered("unless_declined", true, storage).now, null);
  offered("unless_declined", true, storage).choose("yes");
  assert.equal(offered("unless_declined", true, storage).now, "yes");
  assert.equal(offered("unless_declined", true).now, null); // another tab
});

test("where the browser forbids storage the answer lasts until the page is left", () => {
  const forbidden = () => {
    throw new DOMException("no");
  };
  const choice = offered("unless_declined", false, { getItem: forbidden, setItem: forbidden });
  choice.choose("no");
  choice.offer({ calls: "unless_declined", needs_consent: false }); // after the call
  assert.equal(choice.now, "no");
});
