// Collects what the audio thread hears into chunks of 40 ms of 16-bit samples.

const CHUNK = 640;

class Pcm extends AudioWorkletProcessor {
  #chunk = new Int16Array(CHUNK);
  #filled = 0;

  process([[channel]]) {
    for (const sample of channel ?? []) {
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
