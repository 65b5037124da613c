import assert from "node:assert/strict";
import { test } from "node:test";
import { videoEncoding } from "../../../web/call/video_encoding.js";

const track = (width, height) => ({ getSettings: () => ({ width, height }) });

test("frames are scaled down to 768 pixels on the longer side, and never up", () => {
  assert.equal(videoEncoding(track(1536, 864)).scaleResolutionDownBy, 2);
  assert.equal(videoEncoding(track(864, 1536)).scaleResolutionDownBy, 2);
  assert.equal(videoEncoding(track(640, 480)).scaleResolutionDownBy, 1);
  assert.equal(videoEncoding(null).scaleResolutionDownBy, 1);
});

test("full resolution keeps every pixel and gets more bits", () => {
  const [usual, full] = [false, true].map((wanted) => videoEncoding(track(1920, 1080), wanted));
  assert.equal(full.scaleResolutionDownBy, 1);
  assert.ok(full.maxBitrate > usual.maxBitrate);
  assert.equal(full.maxFramerate, usual.maxFramerate);
});
