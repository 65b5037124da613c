import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ScreenWakeLock } from "../../../web/media/wake_lock.js";

/** A page that can be hidden, in a browser that grants locks when the test says so. */
class Browser extends EventTarget {
  visibilityState = "visible";
  asked = [];
  held = new Set();

  request() {
    return new Promise((resolve, reject) => {
      const lock = new EventTarget();
      lock.release = () => {
        this.held.delete(lock);
        lock.dispatchEvent(new Event("release"));
      };
      const grant = () => {
        this.held.add(lock);
        resolve(lock);
      };
      this.asked.push({ grant, refuse: () => reject(new DOMException("no", "NotAllowedError")) });
    });
  }

  async grant() {
    this.asked.pop().grant();
    await settled();
  }

  show(visible) {
    this.visibilityState = visible ? "visible" : "hidden";
    if (!visible) for (const lock of this.held) lock.release();
    this.dispatchEvent(new Event("visibilitychange"));
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
let browser, wakeLock;
beforeEach(() => {
  browser = new Browser();
  wakeLock = new ScreenWakeLock(browser, browser);
});

test("reconnections take no second lock", async () => {
  wakeLock.hold();
  wakeLock.hold();
  await browser.grant();
  wakeLock.hold();
  assert.equal(browser.asked.length, 0);
  assert.equal(browser.held.size, 1);
  wakeLock.release();
  assert.equal(browser.held.size, 0);
});

test("a lock that is granted after the call is released", async () => {
  wakeLock.hold();
  wakeLock.release();
  await browser.grant();
  assert.equal(browser.held.size, 0);
});

test("a lock that is granted after the next call has begun belongs to that call", async () => {
  wakeLock.hold();
  wakeLock.release();
  wakeLock.hold();
  await browser.grant();
  assert.equal(browser.held.size, 1);
  wakeLock.release();
  assert.equal(browser.held.size, 0);
});

test("a page that was hidden during a call takes the lock again when it is visible", async () => {
  wakeLock.hold();
  await browser.grant();
  browser.show(false);
  assert.equal(browser.held.size, 0);
  browser.show(true);
  await browser.grant();
  assert.equal(browser.held.size, 1);
});

test("a page that becomes visible without a call takes no lock", async () => {
  browser.show(true);
  assert.equal(browser.asked.length, 0);
  wakeLock.hold();
  await browser.grant();
  wakeLock.release();
  browser.show(false);
  browser.show(true);
  assert.equal(browser.asked.length, 0);
});

test("after a refusal the next occasion asks again", async () => {
  wakeLock.hold();
  browser.asked.pop().refuse();
  await settled();
  browser.show(true);
  await browser.grant();
  assert.equal(browser.held.size, 1);
});

test("a browser without wake locks is no error", () => {
  const none = new ScreenWakeLock(browser, undefined);
  none.hold();
  none.release();
});
