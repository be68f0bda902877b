// The page of the simulator: events come in, change the store, and are shown; what is done goes out as inputs.

import { showAgents } from "./agents.js";
import { connect } from "./connection.js";
import { showConversation } from "./conversation.js";
import { $, make, say } from "./dom.js";
import { showFaults } from "./faults.js";
import { showMeters } from "./meters.js";
import { showPrivacy } from "./privacy.js";
import { showScenes } from "./scenes.js";
import { showSessions } from "./sessions.js";
import { showSources } from "./sources.js";
import { createStore } from "./store.js";
import { showTalk } from "./talk.js";
import { showTimeline } from "./timeline.js";
import { createFrames, showView } from "./view.js";

const NOTICE_MS = 8000;

function complain(text) {
  const notice = make("p", { class: "notice" }, text);
  $("notices").append(notice);
  setTimeout(() => notice.remove(), NOTICE_MS);
}

const store = createStore();
const connection = connect({
  event(event, past) {
    store.take(event);
    if (!past && (event.event === "refused" || event.event === "failed")) complain(event.error);
  },
  frame: createFrames(),
  there(whether) {
    $("connection").dataset.there = whether;
    say($("connection"), whether ? "connected" : "connecting again");
  },
});

const { send } = connection;
showView(store, send);
showConversation(store);
showMeters(store, send);
showTimeline(store);
showScenes(store, send, complain);
showTalk(store, send, showSources(store, connection, complain));
showPrivacy(store, send);
showAgents(store);
showFaults(store, send);
showSessions(store, send);
