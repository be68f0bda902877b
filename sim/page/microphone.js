// The browser's microphone as 16-bit samples at 16 kHz.

import { SOUND } from "./connection.js";

/** A machine without sound never starts. */
const PATIENCE_MS = 3000;

/** Streams until what it returns is called. */
export async function startMicrophone(stream) {
  const media = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
  const context = new AudioContext();
  await context.audioWorklet.addModule("pcm-worklet.js");
  const source = context.createMediaStreamSource(media);
  const worklet = new AudioWorkletNode(context, "pcm", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
  worklet.port.onmessage = ({ data }) => stream(tagged(data));
  source.connect(worklet);
  const stop = () => {
    media.getTracks().forEach((track) => track.stop());
    context.close();
  };
  const late = new Promise((take) => setTimeout(take, PATIENCE_MS));
  await Promise.race([context.resume(), late]);
  if (context.state === "running") return stop;
  stop();
  throw new Error("its sound does not start.");
}

/** Samples as bytes, little-endian whatever the machine. */
function tagged(samples) {
  const bytes = new Uint8Array(1 + 2 * samples.length);
  bytes[0] = SOUND;
  const view = new DataView(bytes.buffer);
  samples.forEach((sample, at) => view.setInt16(1 + 2 * at, sample, true));
  return bytes;
}
