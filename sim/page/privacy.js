// What left the device: nothing, or each request with where it went and by whose leave.

import { $, make, say } from "./dom.js";
import { bytes, plural } from "./format.js";
import { makeSwitch } from "./switches.js";

/** What may leave, each by its own leave. */
const KINDS = {
  text: "Typed questions may leave",
  transcript: "Spoken questions may leave, written down",
  picture: "Pictures may leave",
};

export function showPrivacy(store, send) {
  $("consents").replaceChildren(
    ...Object.entries(KINDS).map(([kind, title]) =>
      makeSwitch(store, title, ({ consent }) => consent[kind], (allowed) => send({ consent: { [kind]: allowed } }), { "data-consent": kind })),
  );
  store.on(["hello"], async () => {
    const answer = await fetch("api/ledger").catch(() => null);
    if (answer?.ok) store.take({ event: "ledger", ...(await answer.json()) });
  });
  store.on(["ledger", "state"], ({ ledger, state, hello }) => {
    const left = Math.max(ledger.bytes, state?.left_device_bytes ?? 0);
    say($("seal"), left === 0 ? "Nothing left this device" : `${bytes(left)} left this device`);
    $("seal").dataset.clean = left === 0;
    say($("verdict"), left === 0 ? "Nothing." : `${bytes(left)}, in ${plural(ledger.records.length, "request")}.`);
    say($("verdict-note"), note(left, hello?.modes ?? []));
  });
  store.on(["ledger"], ({ ledger }) => {
    $("ledger").hidden = ledger.records.length === 0;
    $("ledger").replaceChildren(table(ledger.records));
  });
}

function note(left, modes) {
  if (left > 0) return "Each request was written down before its first byte left.";
  const cloud = "Instant and Thinking open no socket.";
  return modes.includes("contemplating") ? `${cloud} Contemplating asks only for what you allow here.` : cloud;
}

function table(records) {
  const rows = records.toReversed().map(({ time_ms: time, destination, kinds, bytes: size, purpose, consent, state }) =>
    make("tr", {},
      make("td", {}, new Date(time).toLocaleTimeString()),
      make("td", {}, destination),
      make("td", {}, kinds),
      make("td", { class: "number" }, bytes(size)),
      make("td", {}, purpose),
      make("td", {}, consent),
      make("td", {}, state)));
  const names = ["when", "where to", "what", "size", "what for", "allowed", "state"];
  const head = make("tr", {}, names.map((name) => make("th", { scope: "col" }, name)));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, rows));
}
