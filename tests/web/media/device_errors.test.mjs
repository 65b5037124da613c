import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceNotice, InsecureContext, noVideoText } from "../../../web/media/device_errors.js";

const dom = (name) => new DOMException("x", name);

test("a camera that is off, forbidden, missing, in use or blocked has a text of its own", () => {
  const words = [
    null,
    dom("NotAllowedError"),
    dom("NotFoundError"),
    dom("NotReadableError"),
    new InsecureContext(),
    dom("X"),
  ].map(noVideoText);
  assert.equal(words[0], "Your camera is off");
  assert.equal(new Set(words).size, words.length);
});

test("a missing device comes with advice", () => {
  const { title, text, action } = deviceNotice("camera", dom("NotAllowedError"));
  assert.equal(title, "The camera is not allowed");
  assert.match(text, /site settings/);
  assert.equal(action, "Try the camera again");
  assert.match(deviceNotice("both", dom("NotFoundError")).text, /Plug them in/);
});

test("on an insecure page there is nothing to try again", () => {
  assert.equal(deviceNotice("both", new InsecureContext()).action, null);
});
