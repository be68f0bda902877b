// Sessions that are recorded, and played again.

import { $, make, say } from "./dom.js";
import { amount, plural } from "./format.js";

export function showSessions(store, send) {
  const refresh = async () => {
    const answer = await fetch("api/recordings").catch(() => null);
    if (answer?.ok) list(await answer.json(), send);
  };
  store.on(["hello", "recording"], refresh);
  store.on(["state"], ({ state }) => {
    const recording = state.recording !== null;
    $("record").setAttribute("aria-pressed", recording);
    say($("record"), recording ? "Stop recording" : "Record");
  });
  $("record").addEventListener("click", () => send({ record: store.world.state?.recording === null }));
}

function list(recordings, send) {
  $("sessions-note").hidden = recordings.length > 0;
  const items = recordings.toReversed().map(({ name, seconds, turns }) => {
    const source = { camera: { session: name }, microphone: { session: name } };
    return make("li", {},
      make("span", {}, name),
      make("span", { class: "note" }, `${amount(seconds, 0, "s")}, ${plural(turns, "turn")}`),
      make("button", { type: "button", class: "quiet", "aria-label": `Play ${name} again`, onclick: () => send({ source }) }, "Play"));
  });
  $("recordings").replaceChildren(...items);
}
