// Where light and sound come from, and the browser's own camera and microphone.

import { startCamera } from "./camera.js";
import { $, offer } from "./dom.js";
import { startMicrophone } from "./microphone.js";

const TITLES = { scene: "scene", browser: "this browser", machine: "this machine" };
const STARTS = { camera: startCamera, microphone: startMicrophone };

/** Returns what makes sure that somebody can be heard, and whether they can. */
export function showSources(store, connection, complain) {
  // What stops the browser's own, and whether the simulator said that it listens to it.
  const running = { camera: null, microphone: null };

  function stop(sense) {
    running[sense]?.stop();
    running[sense] = null;
  }

  async function choose(sense, source) {
    if (source === "browser" && !running[sense]) {
      try {
        running[sense] = { stop: await STARTS[sense](connection.stream), heeded: false };
      } catch (error) {
        complain(`The browser gives no ${sense}: ${reason(error)}`);
        offerAll(store.world);
        return false;
      }
    }
    if (source !== "browser") stop(sense);
    connection.send({ source: { [sense]: source } });
    return true;
  }

  function offerAll({ hello, state }) {
    for (const sense of ["camera", "microphone"]) {
      const chosen = state?.source[sense];
      const sources = (hello?.sources ?? []).map((name) => [name, TITLES[name] ?? name]);
      const session = chosen?.session ? [[chosen.session, `session ${chosen.session}`]] : [];
      offer($(`${sense}-source`), [...sources, ...session], chosen?.session ?? chosen ?? "scene");
      // News from before it was chosen says nothing about it.
      if (chosen === "browser" && running[sense]) running[sense].heeded = true;
      else if (chosen && running[sense]?.heeded) stop(sense);
    }
  }

  for (const sense of ["camera", "microphone"]) {
    $(`${sense}-source`).addEventListener("change", ({ target }) => choose(sense, target.value));
  }
  // After a reconnect the simulator takes this page for another one.
  store.on(["hello"], () => {
    for (const sense of ["camera", "microphone"]) {
      if (running[sense]) connection.send({ source: { [sense]: "browser" } });
    }
  });
  store.on(["state", "hello"], offerAll);
  return async () => {
    const source = store.world.state?.source.microphone;
    return source !== "scene" || choose("microphone", "browser");
  };
}

function reason(error) {
  switch (error.name) {
    case "NotAllowedError": return "it was not allowed.";
    case "NotFoundError": return "there is none.";
    case "TypeError": return "pages have one only at https: or on this machine itself.";
    default: return error.message;
  }
}
