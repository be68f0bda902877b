// What is measured: the model's speed and memory, the senses, the glasses.

import { $, draw, offer, say } from "./dom.js";
import { amount, bandwidth, bytes, count, duration, percent } from "./format.js";

/** What is done for a question, from all to the least. */
const EFFORTS = {
  full: "all there is",
  small_frames: "small pictures",
  large_blocks: "small pictures, large blocks of sound",
  small_model: "the small model",
};

export function showMeters(store, send) {
  store.on(["hello"], ({ hello }) => {
    say($("model"), hello.model ? describe(hello.model) : "no model");
  });
  store.on(["state"], ({ state, hello }) => {
    const { decode_tokens_per_second: decode, prefill_tokens_per_second: prefill, memory_bytes: memory } = state.speed;
    say($("decode-speed"), decode ? amount(decode, decode < 10 ? 1 : 0, "tokens/s") : "–");
    say($("prefill-speed"), prefill ? amount(prefill, 0, "tokens/s") : "–");
    say($("memory"), memory ? bytes(memory) : "–");
    showFrames(state.frames);
    say($("effort"), EFFORTS[state.effort] ?? state.effort);
    $("effort").dataset.hot = state.effort !== "full";
    showGlasses(state);
    const panels = hello?.panels.map(({ name, title, width, height }) => [name, `${title}, ${width} × ${height}`]);
    offer($("panel"), panels ?? [], state.panel);
  });
  store.on(["state"], ({ warmths }) => drawWarmth($("warmth"), warmths));
  store.on(["level"], ({ levels }) => showSound(levels));
  $("panel").addEventListener("change", ({ target }) => send({ panel: target.value }));
}

function describe({ name, parameters, backend, sees, hears }) {
  const senses = [sees ? "sees" : null, hears ? "hears" : null].filter(Boolean).join(" and ");
  return [name, `${count(parameters)} parameters`, senses || "reads", `on ${backend}`].join(" · ");
}

function showFrames({ per_second: rate, width, height, dropped, gate }) {
  const lost = dropped > 0 ? `, ${dropped} lost` : "";
  say($("frames"), rate > 0 ? `${amount(rate, 0, "/s")}, ${width} × ${height}${lost}` : "none");
  say($("gate"), gate.judged > 0 ? `${gate.let_through} of ${gate.judged} new` : "no frame judged");
}

function showGlasses({ power, link }) {
  say($("battery"), percent(power.charge));
  $("charge").value = power.charge;
  const note = power.throttled ? ", throttled" : power.held ? ", held" : "";
  say($("temperature"), `${amount(power.celsius, 1, "°C")}${note}`);
  $("temperature").dataset.hot = power.throttled;
  say($("power"), amount(power.watts, 2, "W"));
  const there = `${duration(link.latency_ms)}, ${bandwidth(link.bandwidth_kbps)}`;
  say($("link"), link.connected ? there : "down");
  $("link").dataset.hot = !link.connected;
}

function showSound(levels) {
  const last = levels.at(-1);
  const loud = last.rms_dbfs === null ? "silent" : amount(last.rms_dbfs, 0, "dB");
  say($("sound"), last.speech ? `speech, ${loud}` : loud);
  const width = 60;
  $("level").setAttribute("viewBox", `0 0 ${width} 20`);
  $("level").setAttribute("preserveAspectRatio", "none");
  const bars = levels.map(({ rms_dbfs: level, speech }, at) => {
    const height = 0.8 + 19.2 * loudness(level);
    const x = width - levels.length + at + 0.2;
    return draw("rect", { class: speech ? "speech" : "noise", x, y: 10 - height / 2, width: 0.6, height, rx: 0.3 });
  });
  $("level").replaceChildren(...bars);
}

/** From 0 at -60 dB to 1 at full scale. */
function loudness(level) {
  return level === null ? 0 : Math.min(Math.max((level + 60) / 60, 0), 1);
}

function drawWarmth(svg, warmths) {
  const [width, height] = [Math.max(warmths.length, 30), 24];
  const all = warmths.map(({ celsius }) => celsius);
  const [low, high] = [Math.min(...all, 28), Math.max(...all, 40)];
  const points = warmths.map(({ celsius }, at) => {
    const x = width - warmths.length + at + 1;
    return `${x},${(height - 2 - ((celsius - low) / (high - low)) * (height - 4)).toFixed(1)}`;
  });
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.replaceChildren(draw("polyline", { points: points.join(" "), "vector-effect": "non-scaling-stroke" }));
}
