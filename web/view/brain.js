// Which model is at the other end, and where sound and pictures go. Pure.

/**
 * @typedef {object} Destination one model service
 * @property {"gemini"|"vertex"|"custom"} service custom: whatever the agent's own model leads to
 * @property {string} host empty: Google's own, or not known
 * @property {string} model
 */

/**
 * @typedef {object} Agent what GET /api/info says about an agent
 * @property {string} [agent] its name
 * @property {string} [description]
 * @property {"local"|"gemini"|"custom"} [brain] custom: a model object or a base URL of its own
 * @property {string} [brain_label]
 * @property {string} [model]
 * @property {string[]} [misfits] what of it has no effect in a call, a sentence each
 * @property {Destination[]} [destinations] empty for the local engine
 */

/**
 * @param {Agent} agent
 * @returns {{kind: string, label: string, text: string}}
 */
export function brainWords({ brain, model, brain_label: label, destinations = [] }) {
  if (brain === "local") {
    return {
      kind: "local",
      label: "Local engine: offline and modest",
      text: "It runs on this server, with no key and no internet, and understands simple questions about what it sees. Sound and pictures stay there.",
    };
  }
  return {
    kind: brain ?? "unknown",
    label: label || model || "Model not named",
    text: `During a call, sound and pictures go to ${whereTo(destinations)}.`,
  };
}

/** @param {Destination[]} destinations */
function whereTo(destinations) {
  const places = [...new Set(destinations.map(place))];
  if (places.length === 0) return "the model service that this server uses";
  const last = places.pop();
  if (places.length === 0) return last;
  return `${places.join(", ")} or ${last}, depending on which of its agents you talk to`;
}

/** @param {Destination} destination */
function place({ service, host, model }) {
  if (service === "gemini") return "Google's Gemini Live API";
  if (service === "vertex") return "Google Cloud's Vertex AI";
  const named = host ? `at ${host}` : model && `for ${model}`;
  return ["the model service that this agent chose", named].filter(Boolean).join(", ");
}

/**
 * An agent's name for people: `vision_agent` → "Vision agent".
 * @param {string} name
 */
export function agentWords(name) {
  const words = name.replace(/_+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
