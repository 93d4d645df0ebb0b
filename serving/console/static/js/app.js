/** Starts the console: the session, the frame, then a page per address. */

import { me } from "./endpoints.js";
import { scorecard } from "./pages/scorecard.js";
import { signIn } from "./pages/sign_in.js";
import { sku } from "./pages/sku.js";
import { skus } from "./pages/skus.js";
import { system } from "./pages/system.js";
import { today } from "./pages/today.js";
import { whatIf } from "./pages/what_if.js";
import { followChanges } from "./live.js";
import { currentRoute } from "./router.js";
import { forgetToken, keepSession, signedIn, token } from "./session.js";
import { frame, markCurrent } from "./shell.js";
import { empty, failed } from "./states.js";
import { texts } from "./texts.js";

/** @type {Record<string, (route: import("./router.js").Route) => Node[]>} */
const PAGES = { today, skus, sku, "what-if": whatIf, scorecard, system };

const main = frame();
let left = new AbortController();

/** Builds the page of the address; without a session, the one that asks for a token. */
function build() {
  left.abort();
  left = new AbortController();
  const route = currentRoute(left.signal);
  const page = signedIn() ? PAGES[route.page] : signIn;
  main.replaceChildren(...(page ? page(route) : [empty(texts.noPage)]));
  markCurrent(route.page);
  document.title = [route.parts[1], texts.pages[route.page], texts.product].filter(Boolean).join(" – ");
}

function goTo() {
  build();
  main.focus();
  scrollTo(0, 0);
}

/** A token from before a reload is kept unless the API no longer takes it. */
async function resume() {
  if (!token()) return;
  try {
    keepSession(await me());
  } catch (error) {
    if (error.status !== 401) throw error;
    forgetToken();
  }
}

function begin() {
  addEventListener("hashchange", goTo);
  document.addEventListener("sessionchange", build);
  document.addEventListener("keydown", toSearch);
  build();
}

/** @param {KeyboardEvent} event */
function toSearch(event) {
  if (event.key !== "k" || !(event.ctrlKey || event.metaKey)) return;
  /** @type {HTMLElement|null} */ (main.querySelector("input[type=search]"))?.focus();
  event.preventDefault();
}

const start = () => resume().then(begin, (error) => main.replaceChildren(failed(error, start)));

followChanges();
start();
