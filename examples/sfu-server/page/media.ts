/** This person's camera and microphone, as far as there are any. */

const audio: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true };
const video: MediaTrackConstraints = {
  width: { ideal: 640 },
  height: { ideal: 360 },
  frameRate: { ideal: 30, max: 30 },
};

export interface OwnMedia {
  stream: MediaStream;
  /** What the person should know, if it isn't both of them. */
  problem?: string;
}

export async function openMedia(): Promise<OwnMedia> {
  // The types say that it is always there. Browsers don't have it where the page could have been tampered with.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (!devices) {
    const problem = 'The browser gives its camera only to localhost and to HTTPS pages. You can watch and listen.';
    return { stream: new MediaStream(), problem };
  }
  let reason: unknown;
  for (const constraints of [{ audio, video }, { audio }, { video }]) {
    try {
      const stream = await devices.getUserMedia(constraints);
      return reason
        ? { stream, problem: `Without ${constraints.video ? 'microphone' : 'camera'}: ${messageOf(reason)}` }
        : { stream };
    } catch (error) {
      reason ??= error;
    }
  }
  return {
    stream: new MediaStream(),
    problem: `Without camera and microphone: ${messageOf(reason)}. You can watch and listen.`,
  };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
