import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { HoldToTalk } from "../../../web/media/hold_to_talk.js";

function held() {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  const became = [];
  return {
    became,
    hold: new HoldToTalk(
      () => true,
      (talking) => became.push(talking),
    ),
  };
}

test("the end of a word is sent after the key has been let go", () => {
  const { became, hold } = held();
  hold.press("key");
  hold.release("key");
  assert.deepEqual(became, [true]);
  mock.timers.tick(300);
  assert.deepEqual(became, [true, false]);
});

test("whoever presses again meanwhile is not cut", () => {
  const { became, hold } = held();
  hold.press("key");
  hold.release("key");
  mock.timers.tick(100);
  hold.press("key");
  mock.timers.tick(1_000);
  assert.deepEqual(became, [true]);
});

test("of two that are held, the last one let go ends it", () => {
  const { became, hold } = held();
  hold.press("key");
  hold.press("pointer");
  hold.release("key");
  mock.timers.tick(1_000);
  assert.deepEqual(became, [true]);
  hold.release("pointer");
  mock.timers.tick(1_000);
  assert.deepEqual(became, [true, false]);
});

test("what is let go elsewhere ends at once, and what was never held changes nothing", () => {
  const { became, hold } = held();
  hold.release("pointer");
  mock.timers.tick(1_000);
  hold.press("key");
  hold.stop();
  assert.deepEqual(became, [true, false]);
});
