// Which model answers, and where the caller's sound and picture go. Pure.

/**
 * @typedef {import("../call/signalling.js").Agent} Agent
 * @typedef {import("../call/signalling.js").Destination} Destination
 */

/**
 * @param {Agent} agent
 * @returns {{kind: string, label: string, text: string}} label: a few words; text: a sentence or
 *   two about where sound and picture go
 */
export function backendLabel({ brain, model, brain_label: label, destinations = [] }) {
  if (brain === "local") {
    return {
      kind: "local",
      label: "Local engine: offline and modest",
      text: "It runs on this server, with no key and no internet, and understands simple questions about what it sees. Sound and pictures stay there.",
    };
  }
  if (brain === "own") {
    return {
      kind: "own",
      label: label || "A model of the server's owner",
      text: ownPlaces(destinations),
    };
  }
  return {
    kind: brain ?? "unknown",
    label: label || model || "Model not named",
    text: `During a call, sound and pictures go to ${places(destinations)}.`,
  };
}

/**
 * Where sound, pictures and words go if the owner has named servers.
 * @param {Destination[]} destinations
 */
function ownPlaces(destinations) {
  /** @param {Destination["service"]} service */
  const host = (service) => destinations.find((one) => one.service === service)?.host;
  const [ears, brain, voice] = [host("ears"), host("brain"), host("voice")];
  const sent = [];
  if (ears) sent.push(`What you say goes, as sound, to ${ears}.`);
  if (brain) sent.push(`What is said, as text, and pictures go to ${brain}.`);
  if (voice) sent.push(`What the agent says goes, as text, to ${voice}.`);
  return [...sent, "Everything else stays on this server."].join(" ");
}

/** @param {Destination[]} destinations */
function places(destinations) {
  const named = [...new Set(destinations.map(place))];
  if (named.length === 0) return "the model service that this server uses";
  const last = named.pop();
  if (named.length === 0) return last;
  return `${named.join(", ")} or ${last}, depending on which of its agents you talk to`;
}

/** @param {Destination} destination */
function place({ service, host, model }) {
  if (service === "gemini") return "Google's Gemini Live API";
  if (service === "vertex") return "Google Cloud's Vertex AI";
  const which = host ? `at ${host}` : model && `for ${model}`;
  return ["the model service that this agent chose", which].filter(Boolean).join(", ");
}

/**
 * An agent's name for people: `vision_agent` → "Vision agent".
 * @param {string} name
 */
export function displayName(name) {
  const words = name.replace(/_+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
