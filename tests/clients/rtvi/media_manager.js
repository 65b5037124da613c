// Microphone and camera by getUserMedia, for SmallWebRTCTransport. The transport's own manager loads
// its device code from the internet; everything else of the SDK is as published.

// A recording needs no processing, which takes a tenth of a call's CPU time in Chromium.
const SOUND = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
// As many frames as the page sends. Each is encoded and decoded, and the model gets one a second.
const VIDEO = { frameRate: 2 };

export class PlainMediaManager {
  constructor() {
    this.stream = null;
    this.supportsScreenShare = true;
    this.screen = null;
    this.selectedMic = {};
    this.selectedCam = {};
    this.selectedSpeaker = {};
  }

  setUserAudioCallback() {}

  setClientOptions(options) {
    this.callbacks = options.callbacks ?? {};
    this.microphoneOn = options.enableMic ?? true;
    this.cameraOn = options.enableCam ?? false;
  }

  async initialize() {
    if (this.stream) return;
    this.stream = await navigator.mediaDevices.getUserMedia({ audio: SOUND, video: VIDEO });
    this.enableMic(this.microphoneOn);
    this.enableCam(this.cameraOn);
  }

  async connect() {
    await this.initialize();
  }

  async disconnect() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
  }

  get isMicEnabled() {
    return this.microphoneOn;
  }

  get isCamEnabled() {
    return this.cameraOn;
  }

  enableMic(on) {
    this.microphoneOn = on;
    this.stream?.getAudioTracks().forEach((track) => {
      track.enabled = on;
    });
  }

  enableCam(on) {
    this.cameraOn = on;
    this.stream?.getVideoTracks().forEach((track) => {
      track.enabled = on;
    });
  }

  get isSharingScreen() {
    return this.screen !== null;
  }

  async enableScreenShare(on) {
    if (on) {
      const stream = await navigator.mediaDevices.getDisplayMedia({ video: true });
      [this.screen] = stream.getVideoTracks();
    } else {
      this.screen?.stop();
      this.screen = null;
    }
    await this.onScreen?.(this.screen);
  }

  updateMic() {}
  updateCam() {}
  updateSpeaker() {}

  async #devices(kind) {
    return (await navigator.mediaDevices.enumerateDevices()).filter((one) => one.kind === kind);
  }

  getAllMics() {
    return this.#devices("audioinput");
  }

  getAllCams() {
    return this.#devices("videoinput");
  }

  getAllSpeakers() {
    return this.#devices("audiooutput");
  }

  tracks() {
    const [audio] = this.stream?.getAudioTracks() ?? [];
    const [video] = this.stream?.getVideoTracks() ?? [];
    return { local: { audio, video, screenVideo: this.screen ?? undefined } };
  }
}
