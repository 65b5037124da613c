// The dialog in which the caller chooses devices, the agent's voice and how the page behaves.

import { byId } from "./elements.js";

// Languages of the Live API's native audio models; their names come from the browser.
const LANGUAGES = [
  "ar-EG",
  "bn-BD",
  "de-DE",
  "en-IN",
  "en-US",
  "es-US",
  "fr-FR",
  "hi-IN",
  "id-ID",
  "it-IT",
  "ja-JP",
  "ko-KR",
  "mr-IN",
  "nl-NL",
  "pl-PL",
  "pt-BR",
  "ro-RO",
  "ru-RU",
  "ta-IN",
  "te-IN",
  "th-TH",
  "tr-TR",
  "uk-UA",
  "vi-VN",
];

const DEVICES = /** @type {const} */ ({
  microphone: "audioinput",
  camera: "videoinput",
  speaker: "audiooutput",
});

/**
 * @typedef {import("../call/preferences.js").Chosen} Chosen
 * @typedef {import("../call/preferences.js").Preferences} Preferences
 */

export class SettingsDialog {
  #dialog = /** @type {HTMLDialogElement} */ (byId("settings"));
  #form = /** @type {HTMLFormElement} */ (byId("settings-form"));
  #preferences;
  #onChange;

  /**
   * @param {Preferences} preferences
   * @param {(changed: keyof Chosen) => void} onChange
   */
  constructor(preferences, onChange) {
    this.#preferences = preferences;
    this.#onChange = onChange;
    const names = new Intl.DisplayNames(["en"], { type: "language" });
    this.#list(
      "language",
      LANGUAGES.map((code) => [code, names.of(code) ?? code]),
    );
    this.#showCaptions();
    byId("settings-open").addEventListener("click", () => this.#open());
    this.#form.addEventListener("change", ({ target }) => this.#changed(target));
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#listDevices());
  }

  /** @param {string[]} voices those that the server lets a caller choose; none: it does not */
  offerVoices(voices) {
    byId("settings-agent").hidden = voices.length === 0;
    this.#list(
      "voice",
      voices.map((name) => [name, name]),
    );
  }

  async #open() {
    await this.#listDevices();
    const chosen = this.#preferences.now;
    for (const [name, value] of Object.entries(chosen)) {
      const control = this.#form.elements.namedItem(name);
      if (control instanceof HTMLInputElement) control.checked = value === true;
      else if (control instanceof HTMLSelectElement) select(control, value);
    }
    this.#dialog.showModal();
  }

  /** @param {EventTarget|null} control */
  #changed(control) {
    if (!(control instanceof HTMLInputElement || control instanceof HTMLSelectElement)) return;
    const name = /** @type {keyof Chosen} */ (control.name);
    this.#preferences.set({ [name]: choiceIn(control) });
    this.#showCaptions();
    this.#onChange(name);
  }

  #showCaptions() {
    document.body.dataset.captions = this.#preferences.now.captions;
  }

  async #listDevices() {
    const found = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    // Devices have no names before the first permission.
    const named = found.filter(({ label, deviceId }) => label && deviceId !== "default");
    for (const [name, kind] of Object.entries(DEVICES)) {
      const devices = named.filter((device) => device.kind === kind);
      this.#list(
        name,
        devices.map(({ deviceId, label }) => [deviceId, label]),
      );
    }
    const noOutput = !("setSinkId" in HTMLMediaElement.prototype);
    byId("settings-speaker").hidden = noOutput;
    byId("settings-unnamed").hidden = named.length > 0;
  }

  /**
   * @param {string} name of a select, whose first option stays
   * @param {string[][]} entries value and words of each
   */
  #list(name, entries) {
    const list = /** @type {HTMLSelectElement} */ (this.#form.elements.namedItem(name));
    list.replaceChildren(
      list.options[0],
      ...entries.map(([value, words]) => new Option(words, value)),
    );
    select(list, this.#preferences.now[/** @type {keyof Chosen} */ (name)]);
  }
}

/**
 * @param {HTMLSelectElement} list
 * @param {Chosen[keyof Chosen]} value the first option stands for one that is not listed
 */
function select(list, value) {
  const { id, name } = /** @type {import("../call/preferences.js").DeviceChoice} */ (
    typeof value === "object" ? value : { id: String(value), name: "" }
  );
  const options = [...list.options];
  const found =
    options.find((one) => one.value === id) ?? options.find((one) => name && one.text === name);
  list.selectedIndex = found?.index ?? 0;
}

/** @param {HTMLInputElement|HTMLSelectElement} control */
function choiceIn(control) {
  if (control instanceof HTMLInputElement) return control.checked;
  if (!(control.name in DEVICES)) return control.value;
  return { id: control.value, name: control.value && control.selectedOptions[0].text };
}
