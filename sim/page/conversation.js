// What was asked and answered, newest last.

import { $, make, say } from "./dom.js";
import { duration, plural } from "./format.js";

const PHASES = { idle: "ready", listening: "listening", thinking: "thinking", answering: "answering" };
const FINISHES = { cancelled: "broken off", length: "cut at the limit", context_full: "the memory is full" };

export function showConversation(store) {
  const list = $("turns");
  let announced = null;
  // Until somebody scrolls back, the newest is in sight.
  let follows = true;
  const follow = () => {
    if (follows) list.scrollTop = list.scrollHeight;
  };
  list.addEventListener("scroll", () => {
    follows = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  });
  new ResizeObserver(follow).observe(list);
  store.on(["turns", "timeline", "hello"], ({ turns, hello }) => {
    const items = turns.length > 0 ? turns.map((turn, at) => item(turn, list, turns.slice(0, at))) : [welcome(hello)];
    const same = items.length === list.children.length && items.every((item, at) => item === list.children[at]);
    if (!same) list.replaceChildren(...items);
    follow();
    const last = turns.at(-1);
    if (last?.phase === "done" && announced !== last.number) {
      announced = last.number;
      say($("announcement"), last.text);
    }
  });
  store.on(["state"], ({ state }) => {
    $("phase").dataset.phase = state.phase;
    say($("phase"), state.muted ? "muted" : PHASES[state.phase]);
  });
}

/** The element of a turn; the one that stands there where nothing about the turn changed. */
function item(turn, list, earlier) {
  const key = JSON.stringify([turn.number, turn.phase, turn.question, turn.text, turn.finish, turn.timeline?.id]);
  const old = list.querySelector(`[data-turn="${turn.number}"]`);
  if (old?.dataset.key === key) return old;
  const thoughts = turn.reasoning
    ? make("details", {}, make("summary", {}, "what it thought"), make("p", {}, turn.reasoning))
    : null;
  return make(
    "li",
    { class: "turn", "data-turn": turn.number, "data-key": key, "data-phase": turn.phase },
    make("p", { class: "asked" }, asked(turn)),
    make("p", { class: "answer" }, turn.text.trim() || waiting(turn)),
    thoughts,
    make("p", { class: "took" }, took(turn, earlier)),
  );
}

function asked({ question, spoken, phase }) {
  if (question) return question;
  if (phase === "listening") return "…";
  return spoken ? "a spoken question" : "a question";
}

function waiting({ phase }) {
  if (phase === "dropped") return "not answered";
  return phase === "done" ? "no words" : "";
}

/** What an answer took: `62 ms to the first word · 14 tokens · picture reused`. */
function took(turn, earlier) {
  if (turn.phase !== "done") return "";
  const first = firstWord(turn.timeline);
  const parts = [
    first === null ? null : `${duration(first)} to the first word`,
    turn.tokens > 0 ? plural(turn.tokens, "token") : null,
    picture(turn, earlier),
    turn.mode === "instant" ? null : turn.mode,
    FINISHES[turn.finish] ?? null,
  ];
  return parts.filter(Boolean).join(" · ");
}

/** What became of the picture, where that is known. */
function picture(turn, earlier) {
  const ahead = turn.spoken && turn.vision_passes === 0;
  if (passes(turn) > 0) return ahead ? "picture encoded while you spoke" : "picture encoded";
  return turn.timeline && earlier.some((turn) => passes(turn) > 0) ? "picture reused" : null;
}

function passes({ timeline }) {
  return timeline?.spans.filter(({ stage }) => stage === "see").length ?? 0;
}

/** Milliseconds from the end of the question to the first piece of the answer. */
export function firstWord(timeline) {
  if (!timeline || timeline.question_end === null || timeline.first_piece === null) return null;
  return (timeline.first_piece - timeline.question_end) / 1000;
}

function welcome(hello) {
  const model = hello && !hello.model ? "There is no model here: what was seen and heard stands in for an answer. " : "";
  const hint = hello?.model?.hears === false
    ? "Pick a scene and type a question: this model sees, and does not hear yet."
    : "Pick a scene and play one of its questions, or hold the space bar and ask aloud.";
  const text = `${model}${hint}`;
  return make("li", { class: "turn welcome" }, make("p", { class: "note" }, text));
}
