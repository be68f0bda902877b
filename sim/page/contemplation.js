// What is known of a question that is being contemplated, as the runtime's events tell it.

export function begin(turn) {
  return { turn, draft: null, tasks: [], doubts: [], stage: "drafting", spent: null };
}

/** Changes `agents` by one event. */
export function contemplate(agents, update) {
  changes[update.event]?.(agents, update);
}

const changes = {
  drafted(agents, { text }) {
    agents.draft = text;
  },
  planned(agents, { tasks }) {
    agents.stage = "working";
    agents.tasks = tasks.map((task) => ({ ...task, state: "waiting", text: "", tools: [] }));
  },
  started: (agents, { agent }) => change(agents, agent, { state: "working" }),
  partial: (agents, { agent, text }) => change(agents, agent, { text: (agents.tasks[agent]?.text ?? "") + text }),
  called: (agents, { agent, tool }) => agents.tasks[agent]?.tools.push(tool),
  done: (agents, { agent }) => change(agents, agent, { state: "done" }),
  failed: (agents, { agent, reason }) => change(agents, agent, { state: "failed", reason }),
  reviewed(agents, { doubts }) {
    agents.stage = "reviewed";
    agents.doubts = doubts;
  },
  writing(agents) {
    agents.stage = "writing";
  },
  spent(agents, spending) {
    agents.spent = spending;
  },
};

function change(agents, number, values) {
  if (agents.tasks[number]) Object.assign(agents.tasks[number], values);
}
