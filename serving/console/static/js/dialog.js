/** Questions before something is written, and a word when it is. */

import { h, newId } from "./dom.js";
import { texts } from "./texts.js";

/**
 * Asks for a reason; what is written never goes without one.
 * @param {{title: string, details: string, confirm: string, send: (reason: string) => Promise<void>}} question
 */
export function askReason({ title, details, confirm, send }) {
  const heading = newId("dialog");
  const field = newId("reason");
  const problem = h("p", { class: "problem", role: "alert" });
  const reason = h("textarea", { id: field, required: true, maxlength: 500, rows: 3 });
  const button = h("button", { class: "button primary" }, confirm);
  const dialog = h(
    "dialog",
    { "aria-labelledby": heading, onclose: () => dialog.remove() },
    h("form", { method: "dialog", onsubmit: submit },
      h("h2", { id: heading }, title),
      h("p", {}, details),
      h("label", { for: field }, texts.reason),
      reason,
      problem,
      h("div", { class: "buttons" }, h("button", { class: "button", type: "button", onclick: () => dialog.close() }, texts.cancel), button),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    await send(reason.value.trim()).then(() => dialog.close(), (error) => (problem.textContent = error.message));
    button.disabled = false;
  }
}

const SHOWN_MS = 8000;

/**
 * A word about something that is done, read out and gone after a while.
 * @param {string} message
 */
export function notice(message) {
  const place = document.querySelector("#notices");
  const item = h("div", { class: "notice" }, message);
  place?.append(item);
  setTimeout(() => item.remove(), SHOWN_MS);
}
