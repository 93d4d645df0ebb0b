/** What the API tells on its own: `livechange` on the document when decisions or exceptions changed. */

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
  for (let isNew = true; !signal.aborted; isNew = false) {
    await readEvents(signal, isNew).catch(() => null);
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/**
 * EventSource cannot send the token in a header, so the stream is read with fetch. Its first event says how things
 * stand: no change to a page that was just built, but one after a break.
 * @param {AbortSignal} signal
 * @param {boolean} isNew
 */
async function readEvents(signal, isNew) {
  const response = await fetch("/v1/events", { headers: authorization(), signal, credentials: "omit" });
  if (!response.ok || !response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let known = isNew ? 1 : 0;
  for (let text = "", part = await reader.read(); !part.done; part = await reader.read()) {
    const events = (text + part.value).split("\n\n");
    text = events.pop() ?? "";
    const changes = events.filter((event) => event.startsWith("event: ")).length;
    if (changes > known) document.dispatchEvent(new Event("livechange"));
    known = Math.max(known - changes, 0);
  }
}
