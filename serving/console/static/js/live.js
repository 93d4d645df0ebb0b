/** What the API tells on its own: `livechange` on the document when decisions, exceptions or overrides changed. */

import { authorization } from "./api.js";
import { signedIn } from "./session.js";

const AGAIN_MS = 5000;

/** @type {AbortController|null} */
let following = null;

/** Follows while somebody is signed in; a broken connection is tried again. */
export function followChanges() {
  document.addEventListener("sessionchange", () => {
    following?.abort();
    following = signedIn() ? new AbortController() : null;
    if (following) follow(following.signal);
  });
}

/** @param {AbortSignal} signal */
async function follow(signal) {
  while (!signal.aborted) {
    await readEvents(signal).catch(() => null);
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/**
 * EventSource cannot send the token in a header, so the stream is read with fetch.
 * @param {AbortSignal} signal
 */
async function readEvents(signal) {
  const response = await fetch("/v1/events", { headers: authorization(), signal, credentials: "omit" });
  if (!response.ok || !response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = "", part = await reader.read(); !part.done; part = await reader.read()) {
    const events = (text + part.value).split("\n\n");
    text = events.pop() ?? "";
    if (events.some((event) => event.startsWith("event: change"))) document.dispatchEvent(new Event("livechange"));
  }
}
