// The browser's microphone as 16-bit samples at 16 kHz.

import { SOUND } from "./connection.js";

const RATE = 16_000;

/** Streams until what it returns is called. */
export async function startMicrophone(stream) {
  const media = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
  // The browser resamples to the rate of the context.
  const context = new AudioContext({ sampleRate: RATE });
  await context.audioWorklet.addModule("pcm-worklet.js");
  const source = context.createMediaStreamSource(media);
  const worklet = new AudioWorkletNode(context, "pcm", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
  worklet.port.onmessage = ({ data }) => stream(tagged(data));
  source.connect(worklet);
  await context.resume();
  return () => {
    media.getTracks().forEach((track) => track.stop());
    context.close();
  };
}

/** Samples as bytes, little-endian whatever the machine. */
function tagged(samples) {
  const bytes = new Uint8Array(1 + 2 * samples.length);
  bytes[0] = SOUND;
  const view = new DataView(bytes.buffer);
  samples.forEach((sample, at) => view.setInt16(1 + 2 * at, sample, true));
  return bytes;
}
