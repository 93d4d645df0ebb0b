/** Asks for a token and tries it. */

import { me } from "../endpoints.js";
import { h, newId } from "../dom.js";
import { forgetToken, keepSession, useToken } from "../session.js";
import { texts } from "../texts.js";

/** @returns {Node[]} */
export function signIn() {
  const field = newId("token");
  const hint = newId("hint");
  const problem = h("p", { class: "problem", role: "alert" });
  const token = h("input", { id: field, type: "password", required: true, autocomplete: "off", autofocus: true, "aria-describedby": hint });
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    problem.textContent = await problemWith(token.value.trim());
  };
  return [
    h(
      "form",
      { class: "card form sign-in", onsubmit: submit },
      h("h1", {}, texts.signIn.title),
      h("p", { class: "muted" }, texts.signIn.lead),
      h("div", {}, h("label", { for: field }, texts.signIn.token), token),
      h("p", { class: "hint", id: hint }, texts.signIn.hint),
      problem,
      h("div", {}, h("button", { class: "button primary" }, texts.signIn.button)),
    ),
  ];
}

/**
 * @param {string} token
 * @returns {Promise<string>} empty when it is known
 */
async function problemWith(token) {
  useToken(token);
  try {
    keepSession(await me());
    return "";
  } catch (error) {
    forgetToken();
    return error.status === 401 ? texts.signIn.refused : error.message;
  }
}
