// What can go wrong, to be tried: the link, the heat, the charge, and what can be unplugged.

import { $, make } from "./dom.js";
import { amount, bandwidth, duration, percent } from "./format.js";
import { linear, logarithmic, makeSlider, makeSwitch } from "./switches.js";

const WELL = [
  { link: { connected: true, latency_ms: 15, bandwidth_kbps: 20_000, loss: 0 } },
  { heat: false },
  { battery: 1 },
  { camera: true },
  { microphone: true },
  { mute: false },
  { wear: true },
  { network: true },
];

const PRESETS = {
  "A crowded train": [{ link: { latency_ms: 180, bandwidth_kbps: 350, loss: 0.08 } }],
  "A hot day": [{ heat: 43 }],
  "The last of the charge": [{ battery: 0.05 }],
  "The phone is left behind": [{ link: { connected: false } }],
};

export function showFaults(store, send) {
  const link = (name) => (value) => send({ link: { [name]: value } });
  $("sliders").replaceChildren(
    makeSlider(store, "Link latency", linear(0, 500), duration, ({ link }) => link.latency_ms, (value) => link("latency_ms")(Math.round(value))),
    makeSlider(store, "Link bandwidth", logarithmic(20, 20_000), bandwidth, ({ link }) => link.bandwidth_kbps, (value) => link("bandwidth_kbps")(Math.round(value))),
    makeSlider(store, "Lost packets", linear(0, 0.3), (part) => percent(part, 1), ({ link }) => link.loss, (value) => link("loss")(round(value, 1000))),
    makeSlider(store, "Held at", linear(10, 60), (value) => amount(value, 1, "°C"), ({ power }) => power.celsius, (value) => send({ heat: round(value, 10) })),
    makeSlider(store, "Charge", linear(0, 1), percent, ({ power }) => power.charge, (value) => send({ battery: round(value, 100) })),
  );
  const turn = (title, of, input) => makeSwitch(store, title, of, (on) => send(input(on)));
  $("switches").replaceChildren(
    turn("Worn", ({ worn }) => worn, (wear) => ({ wear })),
    turn("Camera", ({ camera }) => camera, (camera) => ({ camera })),
    turn("Microphone", ({ microphone }) => microphone, (microphone) => ({ microphone })),
    turn("Muted", ({ muted }) => muted, (mute) => ({ mute })),
    turn("Link", ({ link }) => link.connected, (connected) => ({ link: { connected } })),
    turn("Network", ({ network }) => network, (network) => ({ network })),
    turn("Heat held", ({ power }) => power.held, (held) => ({ heat: held ? round(store.world.state.power.celsius, 10) : false })),
  );
  const situations = Object.entries(PRESETS).map(([title, inputs]) =>
    make("button", { type: "button", class: "try", onclick: () => inputs.forEach(send) }, title));
  $("presets").replaceChildren(...situations);
  $("mend").addEventListener("click", () => WELL.forEach(send));
}

function round(value, steps) {
  return Math.round(value * steps) / steps;
}
