// What the caller has chosen on this device, kept from visit to visit.

/**
 * @typedef {object} DeviceChoice
 * @property {string} id its deviceId; empty: the system's choice. Some browsers make new ids at every visit.
 * @property {string} name its label
 *
 * @typedef {object} Chosen
 * @property {string} voice a prebuilt voice's name; empty: the agent's own
 * @property {string} language a BCP-47 code; empty: the agent's own
 * @property {DeviceChoice} microphone
 * @property {DeviceChoice} camera
 * @property {DeviceChoice} speaker
 * @property {"normal"|"large"|"largest"} captions their size
 * @property {boolean} pushToTalk
 * @property {boolean} startMuted
 */

/** @type {DeviceChoice} */
const ANY_DEVICE = Object.freeze({ id: "", name: "" });

/** @type {Chosen} */
export const DEFAULTS = {
  voice: "",
  language: "",
  microphone: ANY_DEVICE,
  camera: ANY_DEVICE,
  speaker: ANY_DEVICE,
  captions: "normal",
  pushToTalk: false,
  startMuted: false,
};

const KEY = "vision-agent:preferences";

export class Preferences {
  #storage;
  #chosen = { ...DEFAULTS };

  /** @param {Storage|null} storage null: nothing outlives the page */
  constructor(storage) {
    this.#storage = storage;
    try {
      this.#adopt(JSON.parse(storage?.getItem(KEY) ?? "{}"));
    } catch (error) {
      console.warn(error); // damaged, or storage is forbidden: the defaults hold
    }
  }

  /** @returns {Readonly<Chosen>} */
  get now() {
    return this.#chosen;
  }

  /**
   * What the caller has chosen of what the agent offers, as options of a call.
   * @param {string[]} voices those of the agent; none: it lets nobody choose
   */
  optionsOfCall(voices) {
    const { voice, language } = this.#chosen;
    return {
      ...(voices.includes(voice) && { voice }),
      ...(voices.length > 0 && language && { language }),
    };
  }

  /** @param {Partial<Chosen>} changes */
  set(changes) {
    this.#adopt(changes);
    try {
      this.#storage?.setItem(KEY, JSON.stringify(this.#chosen));
    } catch (error) {
      console.warn(error); // full or forbidden: it lasts until the page is left
    }
  }

  /** @param {unknown} found whose values of the right type are used */
  #adopt(found) {
    if (typeof found !== "object" || found === null) return;
    const known = Object.entries(found).filter(([name, value]) => {
      const usual = DEFAULTS[/** @type {keyof Chosen} */ (name)];
      return typeof usual === "object" ? isDevice(value) : typeof value === typeof usual;
    });
    this.#chosen = { ...this.#chosen, ...Object.fromEntries(known) };
  }
}

/** @param {any} value */
function isDevice(value) {
  return typeof value?.id === "string" && typeof value.name === "string";
}

/** @returns {Storage|null} null where the browser forbids it */
export function deviceStorage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}
