// Who is at the other end, said honestly. Pure.

/**
 * @param {{brain: "local"|"gemini", model?: string, brain_label?: string}} info of GET /api/info
 * @returns {{kind: string, label: string, text: string}}
 */
export function brainWords({ brain, model, brain_label: label }) {
  if (brain === "local") {
    return {
      kind: "local",
      label: "Local engine: offline and modest",
      text: "It runs on this server, with no key and no internet, and understands simple questions about what it sees. Sound and pictures stay there.",
    };
  }
  return {
    kind: brain ?? "unknown",
    label: label || ["Gemini", model].filter(Boolean).join(" "),
    text: "During a call, sound and pictures go to Google's Live API.",
  };
}

/** An agent's name for people: `vision_agent` → "Vision agent". */
export function agentWords(name) {
  const words = name.replace(/_+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
