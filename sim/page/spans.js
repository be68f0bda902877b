// A turn's spans as lanes of a picture, in milliseconds around the end of its question.

/** Lanes from above to below, with the stages that are drawn in them. */
const LANES = [
  { name: "Your voice", stages: ["voice"], touching: 60 },
  { name: "Picture", stages: ["see"], touching: 0.5 },
  { name: "Sound", stages: ["hear"], touching: 0.5 },
  { name: "Prompt", stages: ["prefill"], touching: 0.5 },
  { name: "Answer", stages: ["decode"], touching: 4 },
];
/** Lanes that are drawn where there is something in them. */
const NAMES = { contemplate: "Agents" };
/** These take next to no time, or none of the processor's. */
const UNDRAWN = ["capture", "gate", "queue"];

/** `{ lanes: [{ name, bars: [[from, to, count]], total }], from, to, first }`. */
export function layOut(timeline) {
  const drawn = timeline.spans.filter(({ stage }) => !UNDRAWN.includes(stage));
  const zero = timeline.question_end ?? Math.min(...drawn.map(({ start }) => start));
  const known = LANES.flatMap(({ stages }) => stages);
  const others = [...new Set(drawn.map(({ stage }) => stage))].filter((stage) => !known.includes(stage));
  const extra = others.map((stage) => ({ name: NAMES[stage] ?? stage, stages: [stage], touching: 0.5 }));
  const lanes = [...LANES, ...extra].map(({ name, stages, touching }) => {
    const spans = drawn.filter(({ stage }) => stages.includes(stage));
    const bars = merge(spans.map(({ start, end, count }) => [(start - zero) / 1000, (end - zero) / 1000, count]), touching);
    return { name, bars, total: bars.reduce((sum, [from, to]) => sum + to - from, 0) };
  });
  const bars = lanes.flatMap(({ bars }) => bars);
  return {
    lanes,
    from: Math.min(0, ...bars.map(([from]) => from)),
    to: Math.max(0, ...bars.map(([, to]) => to)),
    first: timeline.first_piece === null ? null : (timeline.first_piece - zero) / 1000,
  };
}

/** Bars in order of time, those that are at most `touching` apart as one. */
export function merge(bars, touching) {
  const merged = [];
  for (const [from, to, count] of bars.toSorted((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last && from - last[1] <= touching) {
      last[1] = Math.max(last[1], to);
      last[2] += count;
    } else {
      merged.push([from, to, count]);
    }
  }
  return merged;
}

/** Round numbers from `from` to `to`, about `wanted` of them. */
export function ticks(from, to, wanted) {
  const rough = (to - from) / Math.max(wanted, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough) ?? rough;
  const first = Math.ceil(from / step);
  const length = Math.max(0, Math.floor(to / step) - first + 1);
  return Array.from({ length }, (_, at) => (first + at) * step);
}
