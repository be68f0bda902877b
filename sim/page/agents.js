// Contemplating's agents as they work: a lane for each.

import { $, make, say } from "./dom.js";
import { plural } from "./format.js";

const STATES = { waiting: "waits", working: "works", done: "done", failed: "failed" };

export function showAgents(store) {
  store.on(["agents"], ({ agents }) => {
    say($("agents-note"), note(agents));
    say($("spent"), agents.spent ? spending(agents.spent) : "");
    $("lanes").replaceChildren(...agents.tasks.map(lane));
  });
  store.on(["hello"], ({ hello, agents }) => {
    if (agents || hello.modes.includes("contemplating")) return;
    say($("agents-note"), "No endpoints are configured: a question is never sent to a cloud from here.");
  });
}

function note({ stage, draft, doubts }) {
  const doubt = doubts.length > 0 ? ` In doubt: ${doubts.join("; ")}.` : "";
  switch (stage) {
    case "drafting": return draft ? `The device would say: ${draft}` : "The device drafts an answer of its own.";
    case "working": return draft ? `Until there is better, the device says: ${draft}` : "Agents work.";
    case "reviewed": return `The findings were compared.${doubt}`;
    default: return `The answer is written from what was found.${doubt}`;
  }
}

function spending({ requests, input_tokens: read, output_tokens: written, cost }) {
  const money = cost > 0 ? `, ${cost.toFixed(4)} in money` : "";
  return `${plural(requests, "request")}, ${plural(read + written, "token")}${money}`;
}

function lane({ role, question, state, text, tools, reason }) {
  const called = tools.length > 0 ? make("p", { class: "note" }, `called ${tools.join(", ")}`) : null;
  return make(
    "li",
    { class: "lane", "data-state": state },
    make("h3", {}, role, " ", make("span", { class: "state" }, STATES[state])),
    make("p", { class: "task" }, question),
    called,
    make("p", { class: "found" }, state === "failed" ? `${text} ${reason}`.trim() : text),
  );
}
