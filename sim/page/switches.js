// Switches and sliders that show how things are, and ask for them to be otherwise.

import { make, say } from "./dom.js";

/** How often a slider that is moved says so. */
const INTERVAL_MS = 120;

/** A switch. `of(state)` says how it stands, `set(on)` is called when it is turned. */
export function makeSwitch(store, title, of, set, keys = {}) {
  const input = make("input", { type: "checkbox", role: "switch", ...keys, onchange: () => set(input.checked) });
  store.on(["state"], ({ state }) => {
    input.checked = Boolean(of(state));
  });
  return make("label", { class: "switch" }, input, make("span", {}, title));
}

/** A slider from 0 to 1000 over what `scale` makes of it: `{ to(position), from(value) }`. */
export function makeSlider(store, title, scale, words, of, set) {
  const output = make("output", {});
  const input = make("input", { type: "range", min: 0, max: 1000, step: 1, "aria-label": title });
  let moved = 0;
  let timer = null;
  const tell = () => {
    timer = null;
    set(scale.to(input.valueAsNumber / 1000));
  };
  const show = () => {
    const text = words(scale.to(input.valueAsNumber / 1000));
    say(output, text);
    input.setAttribute("aria-valuetext", text);
  };
  input.addEventListener("input", () => {
    moved = performance.now();
    timer ??= setTimeout(tell, INTERVAL_MS);
    show();
  });
  store.on(["state"], ({ state }) => {
    // What was just moved is not moved back by news from before.
    if (performance.now() - moved < 1000) return;
    const value = of(state);
    input.value = Math.round(scale.from(value) * 1000);
    const text = words(value);
    say(output, text);
    input.setAttribute("aria-valuetext", text);
  });
  return make("label", { class: "slider" }, make("span", {}, title), output, input);
}

/** Even steps from `low` to `high`. */
export function linear(low, high) {
  return { to: (position) => low + position * (high - low), from: (value) => clamp((value - low) / (high - low)) };
}

/** Even factors from `low` to `high`. */
export function logarithmic(low, high) {
  const span = Math.log(high / low);
  return { to: (position) => low * Math.exp(position * span), from: (value) => clamp(Math.log(value / low) / span) };
}

function clamp(value) {
  return Number.isFinite(value) ? Math.min(Math.max(value, 0), 1) : 0;
}
