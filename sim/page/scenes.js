// Scenes before the camera: bundled ones, and a picture that is dropped on the page.

import { $, make } from "./dom.js";

const LARGEST_BYTES = 8 * 1024 * 1024;

export function showScenes(store, send, complain) {
  const file = make("input", { type: "file", accept: "image/png,image/jpeg", class: "unseen", id: "picture-file" });
  file.addEventListener("change", () => {
    if (file.files[0]) bring(file.files[0], complain);
    file.value = "";
  });
  const own = make("label", { class: "scene own", for: "picture-file" }, "Your own picture");
  store.on(["hello"], ({ hello }) => {
    const tiles = hello.scenes.map(({ name, title }) =>
      make("button", { type: "button", class: "scene", "data-scene": name, title, "aria-label": title, onclick: () => show(send, store, name) },
        make("img", { src: `api/scenes/${encodeURIComponent(name)}/picture`, alt: "" })));
    $("scenes").replaceChildren(...tiles, file, own);
    mark(store.world);
  });
  store.on(["state"], mark);
  acceptDrops(complain);
}

function show(send, store, name) {
  if (store.world.state?.source.camera !== "scene") send({ source: { camera: "scene" } });
  send({ show: name });
}

function mark({ state }) {
  const shown = state?.source.camera === "scene" ? state.scene : null;
  for (const tile of $("scenes").querySelectorAll("[data-scene]")) {
    tile.setAttribute("aria-pressed", tile.dataset.scene === shown);
  }
}

function acceptDrops(complain) {
  const curtain = $("drop");
  const files = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    curtain.hidden = false;
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => {
    if (relatedTarget === null) curtain.hidden = true;
  });
  document.addEventListener("drop", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    curtain.hidden = true;
    bring(event.dataTransfer.files[0], complain);
  });
  document.addEventListener("paste", ({ clipboardData }) => {
    const picture = [...(clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
    if (picture) bring(picture, complain);
  });
}

async function bring(picture, complain) {
  if (picture.size > LARGEST_BYTES) return complain("The picture is larger than 8 MiB.");
  const sent = fetch("api/picture", { method: "POST", body: picture, headers: { "Content-Type": picture.type } });
  const answer = await sent.catch(() => null);
  if (!answer) return complain("The simulator did not take the picture: it is not there.");
  if (!answer.ok) complain((await answer.json().catch(() => ({}))).error ?? "The simulator did not take the picture.");
}
