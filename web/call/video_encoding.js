// What the camera's RTP sender may send.

// A live model takes at most about two frames a second, and the server decodes every frame it
// receives: at 2 fps a call costs the server about half, and the frames are far sharper (VP8 QP 13
// against 55 at 600 kbps). At 1 fps Chromium's bandwidth estimation would starve.
const MAX_FRAMERATE = 2;
const MAX_BITRATE_BPS = 800_000;

// The server keeps no frame larger than this on its longer side. The camera is opened at a higher
// resolution, because the caller sees the same track on a large screen.
const MAX_SIDE_PX = 768;

// For the seconds in which the agent asked for the camera's full resolution.
const FULL_BITRATE_BPS = 2_500_000;

// A screen is sent at the size that the server keeps, in which text is legible.
const SCREEN_SIDE_PX = 1536;
const SCREEN_BITRATE_BPS = 1_500_000;

/**
 * @param {MediaStreamTrack|null} track
 * @returns {RTCRtpEncodingParameters}
 */
export function screenEncoding(track) {
  const { width = 0, height = 0 } = track?.getSettings() ?? {};
  return {
    maxFramerate: MAX_FRAMERATE,
    maxBitrate: SCREEN_BITRATE_BPS,
    scaleResolutionDownBy: Math.max(1, Math.max(width, height) / SCREEN_SIDE_PX),
  };
}

/**
 * @param {MediaStreamTrack|null} track
 * @param {boolean} full at the camera's own resolution
 * @returns {RTCRtpEncodingParameters}
 */
export function videoEncoding(track, full = false) {
  const { width = 0, height = 0 } = track?.getSettings() ?? {};
  return {
    maxFramerate: MAX_FRAMERATE,
    maxBitrate: full ? FULL_BITRATE_BPS : MAX_BITRATE_BPS,
    scaleResolutionDownBy: full ? 1 : Math.max(1, Math.max(width, height) / MAX_SIDE_PX),
  };
}

/**
 * Applies the encoding to a negotiated sender. Chromium takes it from `addTransceiver`; Safari and
 * Firefox only after negotiation. A new track (another camera, a turned phone) may have another
 * size.
 * @param {RTCRtpSender} sender
 * @param {RTCRtpEncodingParameters} encoding
 * @throws {DOMException} as `setParameters` does
 */
export async function applyVideoEncoding(sender, encoding) {
  const parameters = sender.getParameters();
  if (!parameters.encodings?.length) return; // not negotiated yet, or refused by the server
  Object.assign(parameters.encodings[0], encoding);
  // Text and codes must stay legible: drop frames before pixels.
  parameters.degradationPreference = "maintain-resolution";
  await sender.setParameters(parameters);
}
