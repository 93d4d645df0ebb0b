/** Who is signed in. The token stays in this tab's session storage and travels in a header, never in an address. */

import { useTimeZone } from "./format.js";

const KEY = "token";

/** @typedef {{name: string, role: "viewer"|"planner"|"admin", time_zone: string|null}} Person */

/** @type {Person|null} */
let person = null;

export const token = () => sessionStorage.getItem(KEY);
export const useToken = (/** @type {string} */ text) => sessionStorage.setItem(KEY, text);
export const signedIn = () => person;

/** Viewers see everything and change nothing. */
export const mayWrite = () => person !== null && person.role !== "viewer";

/** @param {Person} known whom the API knows the token as */
export function keepSession(known) {
  person = known;
  useTimeZone(known.time_zone ?? "UTC");
  document.dispatchEvent(new Event("sessionchange"));
}

export function forgetToken() {
  sessionStorage.removeItem(KEY);
}

export function endSession() {
  forgetToken();
  person = null;
  document.dispatchEvent(new Event("sessionchange"));
}
