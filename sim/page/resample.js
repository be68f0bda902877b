// Sound at another rate, as it comes: a sinc under a Hann window, cut off at half of the lower rate.

/** Zero crossings of the sinc on either side. */
const CROSSINGS = 12;

export class Resampler {
  #from;
  #to;
  #half;
  #stretch;
  /** By the remainder of a position: its place between two samples. */
  #kernels = new Map();
  #kept = new Float32Array(0);
  /** The input's number of the first sample that is kept, and the output's of the next one. */
  #first = 0;
  #next = 0;

  /** From and to whole samples a second. */
  constructor(from, to) {
    this.#from = from;
    this.#to = to;
    this.#stretch = Math.max(1, from / to);
    this.#half = Math.ceil(CROSSINGS * this.#stretch);
    this.#first = -this.#half;
    this.#kept = new Float32Array(this.#half);
  }

  /** The samples that `chunk` completes. */
  push(chunk) {
    const input = new Float32Array(this.#kept.length + chunk.length);
    input.set(this.#kept);
    input.set(chunk, this.#kept.length);
    const output = [];
    for (;;) {
      const position = this.#next * this.#from;
      const start = Math.floor(position / this.#to) - this.#half - this.#first;
      if (start + 2 * this.#half >= input.length) {
        const done = Math.max(0, Math.min(start, input.length));
        this.#kept = input.slice(done);
        this.#first += done;
        return output;
      }
      const kernel = this.#kernel(position % this.#to);
      output.push(kernel.reduce((sum, weight, at) => sum + weight * input[start + at], 0));
      this.#next += 1;
    }
  }

  #kernel(remainder) {
    let kernel = this.#kernels.get(remainder);
    if (!kernel) {
      const offset = remainder / this.#to + this.#half;
      kernel = Float32Array.from({ length: 2 * this.#half + 1 }, (_, at) => this.#weight(at - offset));
      this.#kernels.set(remainder, kernel);
    }
    return kernel;
  }

  #weight(distance) {
    const width = CROSSINGS * this.#stretch;
    if (Math.abs(distance) >= width) return 0;
    const angle = (Math.PI * distance) / this.#stretch;
    const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
    return (sinc * (1 + Math.cos((Math.PI * distance) / width))) / 2 / this.#stretch;
  }
}
