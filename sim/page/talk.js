// How the wearer asks: aloud while a key is held, typed, or with a recording; and how hard to think.

import { $, make, offer } from "./dom.js";

const MODES = {
  instant: ["Instant", "answers at once"],
  thinking: ["Thinking", "reasons first, within a budget"],
  contemplating: ["Contemplating", "asks agents in the cloud, if you allow it"],
};

export function showTalk(store, send, listen) {
  holdToTalk(send, listen);
  const stop = () => send({ touch: "tap" });
  $("stop").addEventListener("click", stop);
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") stop();
  });
  $("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $("question").value.trim();
    if (!text) return;
    send({ type: text });
    $("question").value = "";
  });
  $("budget").addEventListener("change", ({ target }) => send({ mode: { thinking: Number(target.value) } }));
  store.on(["hello"], ({ hello }) => showModes(hello.modes, send));
  store.on(["state"], ({ state }) => {
    const chosen = $("modes").querySelector(`[value="${state.mode.name}"]`);
    if (chosen) chosen.checked = true;
    const { budget = null } = state.mode;
    $("budget-row").hidden = budget === null;
    const budgets = [...new Set([...BUDGETS, budget ?? 0])].sort((a, b) => a - b);
    if (budget !== null) offer($("budget"), budgets.map((tokens) => [String(tokens), String(tokens)]), String(budget));
    $("hold").setAttribute("aria-pressed", state.button);
    $("stop").disabled = state.phase === "idle";
  });
  store.on(["state", "hello"], (world) => showTries(world, send));
}

const BUDGETS = [32, 64, 128, 256, 512, 1024];

/** The button, and the space bar wherever it has no other meaning. */
function holdToTalk(send, listen) {
  let held = false;
  const down = async () => {
    if (held) return;
    held = true;
    if ((await listen()) && held) send({ button: "down" });
  };
  const up = () => {
    if (!held) return;
    held = false;
    send({ button: "up" });
  };
  const hold = $("hold");
  hold.addEventListener("pointerdown", (event) => {
    if (event.isPrimary && event.button === 0) down();
  });
  for (const end of ["pointerup", "pointercancel", "blur"]) window.addEventListener(end, up);
  const talks = ({ code, target }) =>
    code === "Space" && (target === hold || !target.closest("input, select, button, textarea, summary, a"));
  document.addEventListener("keydown", (event) => {
    if (!talks(event)) return;
    event.preventDefault();
    if (!event.repeat) down();
  });
  document.addEventListener("keyup", (event) => {
    if (!talks(event)) return;
    event.preventDefault();
    up();
  });
  // Who cannot hold a button presses it twice.
  hold.addEventListener("click", ({ detail }) => {
    if (detail === 0) (held ? up : down)();
  });
  hold.addEventListener("contextmenu", (event) => event.preventDefault());
}

function showModes(names, send) {
  const choices = names.map((name) => {
    const [title, says] = MODES[name] ?? [name, ""];
    const input = make("input", { type: "radio", name: "mode", value: name, onchange: () => send({ mode: name }) });
    return make("label", { title: says }, input, make("span", {}, title));
  });
  $("modes").replaceChildren($("modes").firstElementChild, ...choices);
}

/** Questions that go with the scene: recordings, and a few to be typed. */
function showTries({ hello, state }, send) {
  if (!hello || !state || $("tries").dataset.scene === state.scene) return;
  $("tries").dataset.scene = state.scene;
  const scene = hello.scenes.find(({ name }) => name === state.scene);
  const recordings = [...(scene?.recordings ?? []), ...hello.recordings].filter(({ text }) => text);
  const hears = hello.model?.hears ?? true;
  const spoken = recordings.filter(() => hears).map(({ name, text }) =>
    make("button", { type: "button", class: "try spoken", "aria-label": `Play: ${text}`, "data-say": name,
      onclick: () => send({ say: name }) }, text));
  // A model without ears is asked in text what the recordings say.
  const texts = recordings.map(({ text }) => text);
  const rest = (scene?.questions ?? []).filter((text) => !texts.includes(text));
  const typed = [...(hears ? [] : texts), ...rest].map((text) =>
    make("button", { type: "button", class: "try", onclick: () => send({ type: text }) }, text));
  $("tries").replaceChildren(...spoken, ...typed);
}
