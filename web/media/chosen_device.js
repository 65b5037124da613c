// The device that the caller has chosen, or another one if it is not plugged in.

/**
 * @param {"audioinput"|"videoinput"|"audiooutput"} kind
 * @param {import("../call/preferences.js").DeviceChoice} choice
 * @returns {Promise<string>} today's deviceId; empty: any
 */
export async function deviceIdOf(kind, { id, name }) {
  if (!id) return "";
  const devices = (await navigator.mediaDevices.enumerateDevices()).filter(
    (device) => device.kind === kind,
  );
  const found =
    devices.find(({ deviceId }) => deviceId === id) ??
    devices.find(({ label }) => label !== "" && label === name);
  return found?.deviceId ?? "";
}
