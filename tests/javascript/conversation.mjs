// Holds one conversation with a Live API server through @google/genai and prints a report as JSON:
// node conversation.mjs PACKAGE MODEL SPEECH.pcm [BASE_URL]. PACKAGE is the name under which one
// version of the SDK is installed. Without a URL, the SDK reads the address and the key from the
// environment variables that `vision-agent live-server` prints.
import { readFileSync } from "node:fs";

const [sdk, model, speechFile, baseUrl] = process.argv.slice(2);
const { GoogleGenAI, Modality } = await import(sdk);
const options = baseUrl ? { apiKey: "any", vertexai: false, httpOptions: { baseUrl } } : {};
const ai = new GoogleGenAI(options);

const config = {
  responseModalities: [Modality.AUDIO],
  speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: "Kore" } } },
  systemInstruction: "Help.",
  inputAudioTranscription: {},
  outputAudioTranscription: {},
  sessionResumption: {},
  tools: [
    {
      functionDeclarations: [
        {
          name: "get_time",
          description: "The time in a place.",
          parametersJsonSchema: { type: "object", properties: { place: { type: "string" } } },
        },
      ],
    },
  ],
};

// A session and its messages so far; `until` waits for a message.
async function connect(changes = {}, client = ai) {
  const told = [];
  let news = () => {};
  let end;
  const closed = new Promise((resolve) => {
    end = resolve;
  });
  const session = await Promise.race([
    client.live.connect({
      model,
      config: { ...config, ...changes },
      callbacks: {
        onmessage: (message) => {
          told.push(message);
          news();
        },
        onclose: (event) => {
          end({ code: event.code, reason: event.reason });
          news();
        },
      },
    }),
    closed,
  ]);
  if (session.code) return { refused: session };
  async function until(what, times = 1) {
    for (;;) {
      const found = told.filter(what);
      if (found.length >= times) return found[times - 1];
      await new Promise((resolve) => {
        news = resolve;
      });
    }
  }
  return { session, told, until, closed };
}

const content = (key) => (message) => message.serverContent?.[key];
const joined = (told, key) =>
  told.map((message) => message.serverContent?.[key]?.text ?? "").join("");
const soundBytes = (told) =>
  told
    .flatMap((message) => message.serverContent?.modelTurn?.parts ?? [])
    .filter((part) => part.inlineData?.mimeType === "audio/pcm;rate=24000")
    .reduce((sum, part) => sum + Buffer.from(part.inlineData.data, "base64").length, 0);

const report = {};
const { session, told, until, closed } = await connect();

session.sendClientContent({ turns: "hello" });
await until(content("turnComplete"));
report.typed = { said: joined(told, "outputTranscription"), soundBytes: soundBytes(told) };

const sound = readFileSync(speechFile);
for (let start = 0; start < sound.length; start += 3200) {
  const data = sound.subarray(start, start + 3200).toString("base64");
  session.sendRealtimeInput({ audio: { data, mimeType: "audio/pcm;rate=16000" } });
}
const { toolCall } = await until((message) => message.toolCall);
report.heard = joined(told, "inputTranscription");
report.called = toolCall.functionCalls.map(({ name, args }) => ({ name, args }));
session.sendToolResponse({
  functionResponses: toolCall.functionCalls.map(({ id, name }) => ({
    id,
    name,
    response: { time: "noon" },
  })),
});
await until(() => joined(told, "outputTranscription").endsWith("It is noon."));

session.sendRealtimeInput({ text: "Tell me a story" });
await until((message) => joined([message], "outputTranscription").includes("Once"));
session.sendRealtimeInput({ text: "stop" });
await until(content("interrupted"));
const resumable = (message) => message.sessionResumptionUpdate?.resumable;
await until(() => joined(told, "outputTranscription").endsWith("You typed something."));
await until(content("generationComplete"));
// Gemini 3.x sends handles during a turn, 2.5 after it.
const later = model.includes("gemini-3") ? 0 : 1;
const before = told.filter(resumable).length;
const { sessionResumptionUpdate } = await until(resumable, Math.max(1, before + later));
report.usage = (await until((message) => message.usageMetadata)).usageMetadata.totalTokenCount;
session.close();
report.closed = await closed;

const again = await connect({ sessionResumption: { handle: sessionResumptionUpdate.newHandle } });
again.session.sendRealtimeInput({ text: "which turn" });
await again.until(content("turnComplete"));
report.resumed = joined(again.told, "outputTranscription");
again.session.close();

const voiceConfig = { prebuiltVoiceConfig: { voiceName: "Nobody" } };
report.refused = (await connect({ speechConfig: { voiceConfig } })).refused;

// An ephemeral token that is good for one session, and lists of models.
const alpha = { apiVersion: "v1alpha" };
const { name } = await new GoogleGenAI({
  ...options,
  httpOptions: { ...options.httpOptions, ...alpha },
}).authTokens.create({ config: { uses: 1, liveConnectConstraints: { model, config } } });
const holder = new GoogleGenAI({
  ...options,
  apiKey: name,
  httpOptions: { ...options.httpOptions, ...alpha },
});
report.token = [];
for (let times = 0; times < 2; times++) {
  const tried = await connect({}, holder);
  report.token.push(tried.refused?.reason ?? "opened");
  tried.session?.close();
}
report.models = [];
for await (const each of await ai.models.list()) report.models.push(each.name);

console.log(JSON.stringify(report));
process.exit(0);
