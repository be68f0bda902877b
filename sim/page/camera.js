// The browser's camera as JPEGs.

import { PICTURE } from "./connection.js";

const SIZE = { width: { ideal: 640 }, height: { ideal: 480 } };
const WIDEST = 1280;
const HIGHEST = 720;
const INTERVAL_MS = 1000 / 12;
const QUALITY = 0.8;

/** Streams until what it returns is called. */
export async function startCamera(stream) {
  const media = await navigator.mediaDevices.getUserMedia({ video: SIZE });
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.srcObject = media;
  await video.play();
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  let busy = false;
  const timer = setInterval(async () => {
    if (busy || video.readyState < video.HAVE_CURRENT_DATA) return;
    busy = true;
    const scale = Math.min(1, WIDEST / video.videoWidth, HIGHEST / video.videoHeight);
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((take) => canvas.toBlob(take, "image/jpeg", QUALITY));
    if (blob) stream(await tagged(blob));
    busy = false;
  }, INTERVAL_MS);
  return () => {
    clearInterval(timer);
    media.getTracks().forEach((track) => track.stop());
  };
}

async function tagged(blob) {
  const bytes = new Uint8Array(blob.size + 1);
  bytes[0] = PICTURE;
  bytes.set(new Uint8Array(await blob.arrayBuffer()), 1);
  return bytes;
}
