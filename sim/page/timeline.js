// The turn's time as a picture: what was done while the question was asked, what was left after its end, and the turn
// before in thin bars below.

import { firstWord } from "./conversation.js";
import { $, draw, make, say } from "./dom.js";
import { duration } from "./format.js";
import { layOut, ticks } from "./spans.js";

const LABELS = 84;
/** Room for the words at the first word, which may be the last thing there is. */
const RIGHT = 124;
const TOP = 26;
const LANE = 25;
const BAR = 11;
const THIN = 4;

export function showTimeline(store) {
  const svg = $("timeline");
  const show = () => {
    const done = store.world.turns.filter(({ timeline }) => timeline?.spans.length > 0);
    const [before, now] = [done.at(-2)?.timeline, done.at(-1)?.timeline];
    if (now) paint(svg, layOut(now), before ? layOut(before) : null);
    compare(firstWord(now), firstWord(before));
  };
  store.on(["timeline", "hello"], show);
  new ResizeObserver(show).observe(svg.parentElement);
}

function compare(now, before) {
  if (now === null) return say($("first"), "");
  const change = before === null || before <= 0 ? "" : `, before ${duration(before)}`;
  $("first").replaceChildren("first word after ", make("strong", {}, duration(now)), change);
}

function paint(svg, now, before) {
  const width = svg.parentElement.clientWidth;
  const height = TOP + LANE * now.lanes.length + 18;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("height", height);
  svg.setAttribute("aria-label", describe(now, before));
  const from = Math.min(now.from, before?.from ?? 0);
  const to = Math.max(now.to, before?.to ?? 0, 1);
  const scale = (width - LABELS - RIGHT) / (to - from);
  const x = (milliseconds) => LABELS + (milliseconds - from) * scale;
  svg.replaceChildren(
    ...axis(x, from, to, width, height),
    ...wait(x, now, height),
    ...now.lanes.flatMap((lane, at) => row(x, lane, before?.lanes.find(({ name }) => name === lane.name), at, width)),
  );
}

function axis(x, from, to, width, height) {
  const marks = ticks(from, to, (width - LABELS) / 110).map((tick) => [
    draw("line", { class: "tick", x1: x(tick), x2: x(tick), y1: TOP - 4, y2: height - 18 }),
    draw("text", { class: "scale", x: x(tick), y: height - 4 }, tick === 0 ? "0" : duration(tick)),
  ]);
  return marks.flat();
}

/** The end of the question, the first word, and the time between them, in which the wearer waits. */
function wait(x, { first }, height) {
  const bottom = height - 18;
  const end = draw("line", { class: "question-end", x1: x(0), x2: x(0), y1: 8, y2: bottom });
  const label = draw("text", { class: "moment before-line", x: x(0) - 6, y: 15 }, "you stop");
  if (first === null) return [end, label];
  return [
    draw("rect", { class: "waiting", x: x(Math.min(0, first)), width: Math.abs(x(first) - x(0)), y: 8, height: bottom - 8 }),
    end,
    label,
    draw("line", { class: "first-word", x1: x(first), x2: x(first), y1: 8, y2: bottom }),
    draw("text", { class: "moment", x: x(first) + 6, y: 15 }, `first word, ${duration(first)}`),
  ];
}

function row(x, lane, before, at, width) {
  const y = TOP + LANE * at;
  const bar = (kind, top, height) => ([from, to]) =>
    draw("rect", { class: kind, x: x(from), y: top, width: Math.max(x(to) - x(from), 1.5), height, rx: Math.min(height / 2, 3) });
  const stage = lane.name.toLowerCase().replaceAll(" ", "-");
  return [
    draw("text", { class: "lane-name", x: 0, y: y + BAR }, lane.name),
    draw("line", { class: "rule", x1: LABELS, x2: width, y1: y + LANE - 5, y2: y + LANE - 5 }),
    draw("g", { class: `bars ${stage}` }, ...lane.bars.map(bar("now", y + 1, BAR))),
    draw("g", { class: "bars" }, ...(before?.bars ?? []).map(bar("before", y + BAR + 3, THIN))),
  ];
}

/** The picture in words. */
function describe(now, before) {
  const lanes = now.lanes.filter(({ bars }) => bars.length > 0).map(({ name, total }) => `${name} ${duration(total)}`);
  const first = now.first === null ? "no word was shown" : `first word ${duration(now.first)} after the question`;
  const then = before?.first ? `; in the turn before ${duration(before.first)}` : "";
  return `${lanes.join(", ")}; ${first}${then}`;
}
