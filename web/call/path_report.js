// Why a call found no path for sound and picture, from what both sides offered, in words. Pure.

/**
 * @typedef {object} PathSeen
 * @property {string} host of the page's address
 * @property {boolean} hasTurn whether the server names a TURN server
 * @property {string[]} ownTypes of this browser's candidates: host, srflx, relay
 * @property {{type: string, address: string}[]} serverCandidates those of the answer
 * @property {{url: string, code: number, text: string}[]} failures STUN and TURN servers that gave this
 *   browser no address; code 701: it could not reach them
 */

const UNREACHED = 701;

/**
 * @param {PathSeen} seen
 * @returns {{what: string, advice: string}} sentences
 */
export function whyNoPath({ host, hasTurn, ownTypes, serverCandidates, failures }) {
  const serverRelay = serverCandidates.some(({ type }) => type === "relay");
  const ownRelay = ownTypes.includes("relay");
  const direct = serverCandidates.filter(({ type }) => type !== "relay");
  const addresses = [...new Set(direct.map(({ address }) => address))];
  const shown = addresses.filter((address) => !isLoopback(address)).join(", ");

  if (hasTurn && !ownRelay) {
    const failure = failures.find(({ url }) => url.startsWith("turn"));
    if (failure && failure.code !== UNREACHED) {
      return {
        what: `The TURN server ${failure.url} refused this device (${failure.code} ${failure.text}).`,
        advice:
          "Whoever runs the server should check the secret that it shares with the TURN server: vision-agent doctor does.",
      };
    }
    return {
      what: `The TURN server${failure ? ` ${failure.url}` : ""} did not answer this device.`,
      advice:
        "A firewall may be in the way: a TURN server that also listens on turns:…:443 is reached from most networks.",
    };
  }
  if (ownRelay && serverRelay) {
    return {
      what: "Both sides reached a TURN server, but nothing passed between the two relays.",
      advice:
        "The TURN server must be allowed to send to itself (coturn: external-ip, allowed-peer-ip).",
    };
  }
  if (serverCandidates.length === 0) {
    return {
      what: "The server named no address for the call.",
      advice: "Whoever runs it can find out why with vision-agent doctor.",
    };
  }
  if (addresses.length > 0 && addresses.every(isLoopback) && !isLoopback(host)) {
    return {
      what: "The server receives calls on its own machine only.",
      advice:
        "It has to be started with --host 0.0.0.0, or, behind a proxy, with VISION_AGENT_MEDIA_HOST=0.0.0.0.",
    };
  }
  if (addresses.every(isPrivate) && !isLoopback(host)) {
    return {
      what: `The server announces only addresses of its private network (${shown || addresses.join(", ")}).`,
      advice:
        "From another network, or into a container, they can't be reached: start the server with --public-ip or --turn.",
    };
  }
  const silent = failures.find(({ url }) => url.startsWith("stun"));
  return {
    what: `The server did not answer by UDP at ${shown || addresses.join(", ")}.${silent ? ` Nor did ${silent.url}.` : ""}`,
    advice: silent
      ? "This device's network seems to let no UDP through: the server has to be started with --turn."
      : "A firewall or a VPN may be in the way: open the server's UDP port, or start it with --turn.",
  };
}

/**
 * @param {string} sdp an answer
 * @returns {{type: string, address: string}[]} its candidates
 */
export function candidatesOf(sdp) {
  const lines = sdp.matchAll(/^a=candidate:\S+ \d+ \S+ \d+ (\S+) \d+ typ (\w+)/gm);
  return [...lines].map(([, address, type]) => ({ type, address }));
}

/** @param {string} host an address or a name, as in a URL */
function isLoopback(host) {
  return /^(localhost|127\.[\d.]+|\[?::1\]?)$/.test(host);
}

/** @param {string} address */
function isPrivate(address) {
  return (
    isLoopback(address) ||
    /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|f[cd]|fe[89ab])/i.test(address)
  );
}
