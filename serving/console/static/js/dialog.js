/** Questions before something is written, and a word when it is. */

import { h, newId } from "./dom.js";
import { texts } from "./texts.js";

/**
 * Asks for a reason; what is written never goes without one.
 * @param {{title: string, details: string, confirm: string, send: (reason: string) => Promise<void>}} question
 */
export const askReason = (question) =>
  ask({ ...question, label: texts.reason, field: h("textarea", { required: true, maxlength: 500, rows: 3 }) });

/**
 * Asks for a name.
 * @param {{title: string, details: string, confirm: string, send: (name: string) => Promise<void>}} question
 */
export const askName = (question) =>
  ask({ ...question, label: texts.name, field: h("input", { type: "text", required: true, maxlength: 60 }) });

/**
 * @param {{title: string, details: string, confirm: string, label: string, field: any,
 *   send: (answer: string) => Promise<void>}} question
 */
function ask({ title, details, confirm, label, field, send }) {
  const heading = newId("dialog");
  field.id = newId("answer");
  const problem = h("p", { class: "problem", role: "alert" });
  const button = h("button", { class: "button primary" }, confirm);
  const dialog = h(
    "dialog",
    { "aria-labelledby": heading, onclose: () => dialog.remove() },
    h("form", { method: "dialog", onsubmit: submit },
      h("h2", { id: heading }, title),
      h("p", {}, details),
      h("label", { for: field.id }, label),
      field,
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
    await send(field.value.trim()).then(() => dialog.close(), (error) => (problem.textContent = error.message));
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
