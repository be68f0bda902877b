// Collects what the audio thread hears into chunks of 40 ms of 16-bit samples at 16 kHz. Not every browser lets a
// microphone into a context of another rate than its own, so the rate is changed here.

import { Resampler } from "./resample.js";

const RATE = 16_000;
const CHUNK = 640;

class Pcm extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, RATE);
  #chunk = new Int16Array(CHUNK);
  #filled = 0;

  process([[channel]]) {
    for (const sample of this.#resampler.push(channel ?? [])) {
      this.#chunk[this.#filled] = Math.max(-1, Math.min(sample, 1)) * 32767;
      this.#filled += 1;
      if (this.#filled === CHUNK) {
        this.port.postMessage(this.#chunk, [this.#chunk.buffer]);
        this.#chunk = new Int16Array(CHUNK);
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("pcm", Pcm);
