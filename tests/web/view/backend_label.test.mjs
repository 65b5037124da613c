import assert from "node:assert/strict";
import { test } from "node:test";
import { backendLabel, displayName } from "../../../web/view/backend_label.js";

const text = (brain, ...destinations) => backendLabel({ brain, destinations }).text;
const custom = (host, model = "m") => ({ service: "custom", host, model });

test("with the local engine sound and pictures stay on the server", () => {
  assert.match(text("local"), /Sound and pictures stay there/);
});

test("the service that receives sound and pictures is named", () => {
  assert.match(text("gemini", { service: "gemini", host: "", model: "m" }), /Google's Gemini/);
  assert.match(text("gemini", { service: "vertex", host: "", model: "m" }), /Vertex AI/);
});

test("with a brain of one's own it is named, and that the sound stays", () => {
  const words = text("own", { service: "brain", host: "localhost:11434", model: "m" });
  assert.equal(
    words,
    "What is said, as text, and pictures go to localhost:11434. Everything else stays on this server.",
  );
});

test("with ears and a voice of one's own it is said what each of them gets", () => {
  const words = text(
    "own",
    { service: "ears", host: "a:1", model: "" },
    { service: "voice", host: "b:2", model: "" },
  );
  assert.match(
    words,
    /^What you say goes, as sound, to a:1\. What the agent says goes, as text, to b:2\. Everything/,
  );
});

test("an agent's own model is not called Google's or local, and its host is named if known", () => {
  const known = text("custom", custom("models.example:8443"));
  assert.match(known, /the model service that this agent chose, at models\.example:8443/);
  const unknown = text("custom", custom("", "openai/x"));
  assert.match(unknown, /the model service that this agent chose, for openai\/x/);
  for (const words of [known, unknown, text("custom"), text(undefined)]) {
    assert.doesNotMatch(words, /Google/);
    assert.doesNotMatch(words, /stay/);
  }
});

test("a Gemini model behind a base URL of its own is not called Google's", () => {
  assert.doesNotMatch(text("gemini", custom("proxy.example")), /Google/);
});

test("each of several services is named once", () => {
  const gemini = { service: "gemini", host: "", model: "a" };
  const words = text("gemini", gemini, { ...gemini, model: "b" }, custom("models.example"));
  assert.match(words, /Google's Gemini Live API or the model service .* at models\.example/);
  assert.equal(words.split("Gemini").length, 2);
});

test("a server that names no service is not described as one", () => {
  assert.match(text(undefined), /the model service that this server uses/);
});

test("an agent's name becomes readable", () => {
  assert.equal(displayName("vision_agent"), "Vision agent");
});
