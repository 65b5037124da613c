import assert from "node:assert/strict";
import { test } from "node:test";
import {
  callFailedNotice,
  callLostNotice,
  isFinal,
  NoMediaPath,
  NoNetwork,
  NotTheServer,
  Refusal,
  Unreachable,
} from "../../../web/call/errors.js";

test("every refusal says what happened and what to do", () => {
  const said = {
    400: /did not accept the call.*Reload the page/s,
    401: /access token.*#token=/s,
    403: /takes no calls from this page.*the server's own address/s,
    421: /takes no calls from this page/,
    404: /has not got what was asked for.*Reload the page/s,
    409: /did not accept the call/,
    413: /did not accept the call/,
    429: /Too many calls.*Try again in a moment/s,
    500: /had a problem.*server's log/s,
    502: /does not answer its proxy.*Try again/s,
    503: /no calls right now.*Try again in a moment/s,
    504: /does not answer its proxy.*Try again/s,
  };
  for (const [status, words] of Object.entries(said)) {
    const { title, text, action } = callFailedNotice(new Refusal(Number(status), ""));
    assert.match(`${title}\n${text}`, words);
    assert.equal(action, "Try again");
    assert.match(text, /[.…]$/);
  }
});

test("the server's own sentence is shown", () => {
  for (const status of [400, 403, 404, 429, 500, 503]) {
    assert.match(
      callFailedNotice(new Refusal(status, "Wrong host: a.b.")).text,
      /Wrong host: a\.b\./,
    );
  }
});

test("a refused call is not blamed on the page's address", () => {
  const said = (sentence) => callFailedNotice(new Refusal(403, sentence));
  const record = "This server records every call: it can't be declined.";
  assert.deepEqual(said(record), {
    title: "The server does not take this call",
    text: record,
    action: "Try again",
  });
  assert.match(said("Pages of 'http://a.b' may not call here.").text, /server's own address/);
});

test("the wait the server asks for is stated, once", () => {
  const wait = (status, seconds, sentence = "") =>
    callFailedNotice(new Refusal(status, sentence, seconds)).text;
  assert.match(
    wait(503, 5, "All 1 lines are busy. Try again shortly."),
    /busy\. Try again in about 5 seconds\.$/,
  );
  assert.match(wait(429, 1), /Try again in about 1 second\./);
  assert.match(wait(429, 300), /Try again in about 5 minutes\./);
  assert.equal(wait(500, null, "It failed. Try again.").split("Try again").length, 2);
  assert.match(wait(429, -3), /Try again in a moment\./);
});

test("a device without network, a slow server and an unreachable one have different messages", () => {
  const title = (how) => callFailedNotice(new Unreachable(how)).title;
  assert.match(title("offline"), /This device has no network/);
  assert.match(title("timeout"), /too slowly/);
  assert.match(title("silent"), /can't be reached/);
  assert.match(callFailedNotice(new NotTheServer()).text, /log in/);
  assert.match(callFailedNotice(new NoNetwork()).title, /no network to call over/);
});

test("a lost connection says what failed, and says nothing twice", () => {
  const why = "The connection was interrupted.";
  const gone = callLostNotice(why, new Unreachable());
  assert.equal(gone.title, "Connection lost");
  assert.equal(
    gone.text,
    `${why} The server can't be reached. Check that the server is running and that this device is on its network, then try again.`,
  );
  assert.equal(callLostNotice(why, new NoMediaPath(why)).text.split(why).length, 2);
  assert.match(
    callLostNotice(why, new NoMediaPath("The line went dead.")).text,
    /interrupted\. The line went dead\. A firewall/,
  );
  assert.equal(
    callLostNotice(why, new Refusal(404, "")).text,
    `${why} The server has ended the call meanwhile.`,
  );
  assert.match(callLostNotice(why, new Refusal(401, "")).text, /#token=/);
  assert.match(callLostNotice(why, new Error("odd")).text, /odd/);
});

test("only a refusal that would be repeated is final", () => {
  for (const status of [400, 401, 403, 404, 409, 413]) assert.ok(isFinal(new Refusal(status, "")));
  for (const status of [408, 425, 429, 500, 502, 503]) assert.ok(!isFinal(new Refusal(status, "")));
  assert.ok(!isFinal(new Unreachable()));
  assert.ok(!isFinal(new NotTheServer()));
});
