// What the page knows of the simulator. Events change it; who shows a part of it hears of the change once a frame.

import { begin, contemplate } from "./contemplation.js";

/** Loudness is told ten times a second, warmth kept once a second. */
const LEVELS = 60;
const WARMTHS = 120;
const TURNS = 50;

export function createStore() {
  const world = {
    hello: null,
    state: null,
    hud: null,
    turns: [],
    levels: [],
    warmths: [],
    agents: null,
    ledger: { bytes: 0, records: [] },
  };
  const listeners = new Map();
  const changed = new Set();

  function tell() {
    const topics = [...changed];
    changed.clear();
    const called = new Set(topics.flatMap((topic) => listeners.get(topic) ?? []));
    called.forEach((listener) => listener(world));
  }

  return {
    world,
    /** Calls `listener` with the world after any of `topics` changed. */
    on(topics, listener) {
      for (const topic of topics) listeners.set(topic, [...(listeners.get(topic) ?? []), listener]);
    },
    take(event) {
      const topics = changes[event.event]?.(world, event) ?? [];
      if (topics.length === 0) return;
      if (changed.size === 0) requestAnimationFrame(tell);
      topics.forEach((topic) => changed.add(topic));
    },
  };
}

/** What each event changes, and the topics it belongs to. */
const changes = {
  hello(world, event) {
    world.hello = event;
    if (event.time < (world.state?.time ?? 0)) world.turns = [];
    return ["hello", "turns"];
  },
  state(world, event) {
    const before = world.warmths.at(-1);
    if (!before || event.time - before.time >= 1) {
      world.warmths.push({ time: event.time, celsius: event.power.celsius });
      world.warmths.splice(0, world.warmths.length - WARMTHS);
    }
    world.state = event;
    world.hud = event.hud;
    // Silence is told by nothing else.
    const fellSilent = event.level.rms_dbfs === null && (world.levels.at(-1)?.rms_dbfs ?? null) !== null;
    if (fellSilent) world.levels.push(event.level);
    return fellSilent ? ["state", "hud", "level"] : ["state", "hud"];
  },
  hud(world, event) {
    world.hud = event;
    return ["hud"];
  },
  level(world, event) {
    world.levels.push(event);
    world.levels.splice(0, world.levels.length - LEVELS);
    return ["level"];
  },
  gate(world, event) {
    if (world.state) world.state.frames.gate = event;
    return ["state"];
  },
  listening: (world, event) => change(world, event.turn, { phase: "listening" }),
  heard: (world, event) => change(world, event.turn, { phase: "thinking" }),
  question: (world, event) => change(world, event.turn, { question: event.text, spoken: event.spoken }),
  piece(world, event) {
    const turn = find(world, event.turn);
    return change(world, event.turn, { phase: "answering", text: turn.text + event.text });
  },
  answer: (world, event) => change(world, event.turn, { ...event, phase: "done" }),
  dropped: (world, event) => change(world, event.turn, { phase: "dropped" }),
  timeline(world, event) {
    change(world, event.turn, { timeline: event });
    return ["turns", "timeline"];
  },
  agent(world, { update }) {
    // What an earlier question took stands until another is contemplated.
    const turn = world.turns.at(-1)?.number ?? 0;
    if (world.agents?.turn !== turn) world.agents = begin(turn);
    contemplate(world.agents, update);
    return ["agents"];
  },
  ledger(world, event) {
    world.ledger = event;
    return ["ledger"];
  },
  recording: () => ["recording"],
};

function find(world, number) {
  let turn = world.turns.find((turn) => turn.number === number);
  if (!turn) {
    turn = { number, phase: "listening", question: null, spoken: true, text: "", timeline: null };
    world.turns.push(turn);
    world.turns.splice(0, world.turns.length - TURNS);
  }
  return turn;
}

function change(world, number, values) {
  Object.assign(find(world, number), values);
  return ["turns"];
}
