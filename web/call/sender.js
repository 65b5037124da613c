// What the camera's sender may cost. Two pictures a second are all a live model looks at, and the
// server decodes every one it is sent: at 2 fps a call costs it about half, and the pictures are
// far sharper (VP8 QP 13 against 55 at 600 kbps). One a second would starve Chromium's bandwidth
// estimate.
const MAX_FRAMERATE = 2;
const MAX_BITRATE_BPS = 800_000;

// The server keeps no picture larger than this on its longer side. The camera is opened larger,
// because the person looks at the same picture on a large screen.
const MAX_SIDE_PX = 768;

// For a moment, when the agent looks closely: all the pixels there are.
const FULL_BITRATE_BPS = 2_500_000;

/**
 * @param {MediaStreamTrack|null} track
 * @param {boolean} full in the camera's own resolution
 * @returns {RTCRtpEncodingParameters}
 */
export function cameraEncoding(track, full = false) {
  const { width = 0, height = 0 } = track?.getSettings() ?? {};
  return {
    maxFramerate: MAX_FRAMERATE,
    maxBitrate: full ? FULL_BITRATE_BPS : MAX_BITRATE_BPS,
    scaleResolutionDownBy: full ? 1 : Math.max(1, Math.max(width, height) / MAX_SIDE_PX),
  };
}

/**
 * Applies the cap to a sender that exists. Chromium takes the encoding with `addTransceiver`
 * already; Safari and Firefox only after the negotiation, and a new track (another camera, a
 * turned phone) may have another size.
 * @param {RTCRtpSender} sender
 * @param {boolean} full in the camera's own resolution
 */
export async function capCamera(sender, full = false) {
  const parameters = sender.getParameters();
  if (!parameters.encodings?.length) return; // not negotiated yet, or refused by the server
  Object.assign(parameters.encodings[0], cameraEncoding(sender.track, full));
  // Text and codes must stay readable: give up pictures a second before pixels.
  parameters.degradationPreference = "maintain-resolution";
  await sender.setParameters(parameters);
}
