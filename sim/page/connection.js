// The socket to the simulator: opened again whenever it is lost. Events come in order, each once, with those that
// happened before the page was there.

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 4000;
/** Bytes that may wait in the socket before pictures of the browser's camera are left out. */
const WAITING_BYTES = 500_000;

/** Events that are told in passing: they have the number of the event before them. */
const PASSING = ["state", "level", "refused"];

export const PICTURE = 1;
export const SOUND = 2;

/** `on` has `event(event, past)`, with whether it is from before this page was there, `frame(blob)` and `there(whether)`. */
export function connect(on) {
  let socket = null;
  let wait = FIRST_WAIT_MS;
  let seen = 0;
  let began = 0;

  function open() {
    socket = new WebSocket(address());
    socket.binaryType = "arraybuffer";
    // Events that came while the older ones are fetched.
    let held = null;
    const take = (event) => {
      if (event.event === "hello") {
        held ??= [];
        on.event(event, false);
        catchUp(event).then(() => {
          const late = held;
          held = null;
          late.forEach((event) => deliver(event, false));
        });
      } else if (held) {
        held.push(event);
      } else {
        deliver(event, false);
      }
    };
    socket.onopen = () => {
      wait = FIRST_WAIT_MS;
      on.there(true);
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") take(JSON.parse(data));
      else if (new Uint8Array(data, 0, 1)[0] === PICTURE) on.frame(new Blob([data.slice(1)], { type: "image/jpeg" }));
    };
    socket.onclose = () => {
      on.there(false);
      setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    };
  }

  // A simulator whose clock is behind is another one than before.
  async function catchUp(hello) {
    if (hello.time < began) seen = 0;
    began = hello.time;
    for (;;) {
      const answer = await fetch(`api/events?since=${seen}`).catch(() => null);
      if (!answer?.ok) return;
      const { next, events } = await answer.json();
      events.forEach((event) => deliver(event, true));
      if (events.length === 0 || next <= seen) return;
      seen = next;
    }
  }

  function deliver(event, past) {
    const kept = !PASSING.includes(event.event);
    if (kept && event.id <= seen) return;
    if (kept) seen = event.id;
    on.event(event, past);
  }

  open();
  return {
    send(input) {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(input));
    },
    /** Sends bytes that begin with what they are; a picture only when the one before is on its way. */
    stream(bytes) {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (bytes[0] === PICTURE && socket.bufferedAmount > WAITING_BYTES) return;
      socket.send(bytes);
    },
  };
}

function address() {
  const url = new URL("ws", location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  url.hash = "";
  const token = new URLSearchParams(location.search).get("token");
  url.search = token ? `?${new URLSearchParams({ token })}` : "";
  return url;
}
