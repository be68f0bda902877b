// What the glasses see, and over it the display as its wearer would see it.

import { $, make, say } from "./dom.js";

/** A line of the panel is so many widths of a character high. */
const LINE_BY_COLUMN = 2.5;

const DARK = {
  worn: "The glasses are taken off",
  camera: "The camera is unplugged",
  connected: "The link to the glasses is down",
};

export function showView(store, send) {
  const canvas = $("view");
  store.on(["state", "hello"], (world) => {
    const scene = world.hello?.scenes.find(({ name }) => name === world.state?.scene);
    const source = world.state?.source.camera;
    const seen = source === "scene" ? (scene?.title ?? "a dropped picture") : `the camera of ${source}`;
    const why = darkness(world.state);
    canvas.setAttribute("aria-label", why ?? `The glasses see: ${seen}`);
    $("dark").hidden = !why;
    say($("dark"), why ?? "");
    say($("lamp"), world.state?.light ? "capture light on" : "capture light off");
    $("lamp").dataset.on = Boolean(world.state?.light);
  });
  store.on(["state", "hud", "hello"], showHud);
  $("lens").addEventListener("keydown", (event) => {
    const touch = { ArrowDown: "forward", ArrowUp: "back" }[event.key];
    if (!touch) return;
    event.preventDefault();
    send({ touch });
  });
  $("lens").addEventListener("wheel", (event) => {
    const { total = 0, lines = [] } = store.world.hud ?? {};
    if (total <= lines.length || !event.target.closest(".hud")) return;
    event.preventDefault();
    if (Math.abs(event.deltaY) >= 4) send({ touch: event.deltaY > 0 ? "forward" : "back" });
  }, { passive: false });
}

function darkness(state) {
  if (!state) return "Nothing is seen";
  if (!state.worn) return DARK.worn;
  if (!state.camera) return DARK.camera;
  return state.link.connected ? null : DARK.connected;
}

/** Draws frames as they come, and leaves out those that came while one was decoded. */
export function createFrames() {
  const canvas = $("view");
  const context = canvas.getContext("2d");
  const around = $("around").getContext("2d");
  let next = null;
  let busy = false;
  async function paint() {
    busy = true;
    while (next) {
      const blob = next;
      next = null;
      const picture = await createImageBitmap(blob).catch(() => null);
      if (!picture) continue;
      if (canvas.width !== picture.width) canvas.width = picture.width;
      if (canvas.height !== picture.height) canvas.height = picture.height;
      context.drawImage(picture, 0, 0);
      around.drawImage(picture, 0, 0, around.canvas.width, around.canvas.height);
      picture.close();
      canvas.dataset.frames = Number(canvas.dataset.frames ?? 0) + 1;
    }
    busy = false;
  }
  return (blob) => {
    next = blob;
    if (!busy) paint();
  };
}

function showHud({ hello, state, hud }) {
  const panel = hello?.panels.find(({ name }) => name === state?.panel);
  if (!panel || !hud) return;
  const element = $("hud");
  element.dataset.panel = panel.name;
  element.dataset.status = hud.status;
  element.style.setProperty("--width", panel.width);
  element.style.setProperty("--height", panel.height);
  element.style.setProperty("--columns", panel.columns);
  element.style.setProperty("--line", LINE_BY_COLUMN);
  element.style.setProperty("--advance", advance(element));
  const below = hud.total - hud.first - hud.lines.length;
  say($("hud-status"), status(hud, below));
  const lines = hud.lines.map((line) => make("p", {}, line || "\u00a0"));
  $("hud-lines").replaceChildren(...lines);
}

function status({ status, first }, below) {
  if (status === "listening") return "listening";
  if (status === "thinking") return "thinking";
  return `${first > 0 ? "▲" : ""}${below > 0 ? "▼" : ""}`;
}

let measured = null;

/** The width of a character of the display's font, in its size. */
function advance(element) {
  if (measured) return measured;
  const context = document.createElement("canvas").getContext("2d");
  context.font = `100px ${getComputedStyle(element).fontFamily}`;
  measured = context.measureText("0".repeat(10)).width / 1000;
  return measured;
}
