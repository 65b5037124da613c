import assert from "node:assert/strict";
import test from "node:test";

import { candidatesOf, whyNoPath } from "../../../web/call/path_report.js";

const TURN = "turn:turn.example:3478";

/** @param {object} seen */
function words(seen) {
  const { what, advice } = whyNoPath({
    host: "agent.example",
    hasTurn: false,
    ownTypes: ["host"],
    serverCandidates: [],
    failures: [],
    ...seen,
  });
  return `${what} ${advice}`;
}

/** @param {string[]} addresses */
const host = (...addresses) => addresses.map((address) => ({ type: "host", address }));

const CASES = [
  ["no address", {}, /named no address.*doctor/],
  [
    "a private network",
    { serverCandidates: host("172.17.0.2", "fd00::2", "127.0.0.1") },
    /only addresses of its private network \(172\.17\.0\.2, fd00::2\).*--public-ip or --turn/,
  ],
  ["loopback alone", { serverCandidates: host("127.0.0.1") }, /own machine only.*MEDIA_HOST/],
  [
    "a public address",
    { serverCandidates: host("192.0.2.7", "10.0.0.3") },
    /did not answer by UDP at 192\.0\.2\.7.*UDP port.*--turn/,
  ],
  [
    "no UDP at all",
    {
      serverCandidates: host("192.0.2.7"),
      failures: [{ url: "stun:stun.example", code: 701, text: "" }],
    },
    /Nor did stun:stun\.example\..*no UDP through.*--turn/,
  ],
  [
    "a silent relay",
    { hasTurn: true, failures: [{ url: TURN, code: 701, text: "" }] },
    /turn:turn\.example:3478 did not answer this device.*turns:…:443/,
  ],
  [
    "a relay with another secret",
    { hasTurn: true, failures: [{ url: TURN, code: 401, text: "Unauthorized" }] },
    /refused this device \(401 Unauthorized\).*secret.*doctor/,
  ],
  [
    "two relays",
    {
      hasTurn: true,
      ownTypes: ["host", "relay"],
      serverCandidates: [{ type: "relay", address: "192.0.2.9" }],
    },
    /nothing passed between the two relays.*external-ip/,
  ],
];

for (const [name, seen, expected] of CASES) {
  test(`${name} is said, with what to do`, () => assert.match(words(seen), expected));
}

test("an answer's candidates are read with their types", () => {
  const sdp = [
    "a=candidate:1 1 udp 2130706431 10.0.0.3 7861 typ host",
    "a=candidate:2 1 udp 16777215 192.0.2.9 49160 typ relay raddr 10.0.0.3 rport 5000",
    "a=end-of-candidates",
  ].join("\r\n");
  assert.deepEqual(candidatesOf(sdp), [
    { type: "host", address: "10.0.0.3" },
    { type: "relay", address: "192.0.2.9" },
  ]);
});
