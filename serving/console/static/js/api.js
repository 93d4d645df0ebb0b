/** Requests to the API this page came from; every failure becomes an ApiError that says what to do. */

import { h } from "./dom.js";
import { endSession, signedIn, token } from "./session.js";
import { texts } from "./texts.js";

const KEPT_MS = 60_000;

/** An answer other than success, or none; `message` is for people. */
export class ApiError extends Error {
  /**
   * @param {number} status 0 without an answer
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @typedef {Record<string, string|number|boolean|null|undefined>} Asked empty values are left out */

/**
 * @param {string} path
 * @param {Asked} [query]
 */
export const read = (path, query = {}) => request("GET", withQuery(path, query));

/**
 * Leaves an answer in the browser's downloads. A link could not carry the token.
 * @param {string} path
 * @param {Asked} query
 * @param {string} name of the file
 */
export async function download(path, query, name) {
  const response = await answer(withQuery(path, query), { headers: authorization(), credentials: "omit" });
  if (!response.ok) throw await asError(response);
  const url = URL.createObjectURL(await response.blob());
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}

/**
 * @param {string} path
 * @param {Asked} query
 */
function withQuery(path, query) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text ? `${path}?${text}` : path;
}

/**
 * @param {string} path
 * @param {object} body
 * @param {{method?: string, headers?: Record<string, string>}} [options]
 */
export async function write(path, body, { method = "POST", headers = {} } = {}) {
  return request(method, path, body, headers);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @param {Record<string, string>} [headers]
 */
async function request(method, path, body, headers = {}) {
  const response = await answer(path, {
    method,
    headers: { ...headers, ...authorization(), ...(body ? { "content-type": "application/json" } : {}) },
    body: body && JSON.stringify(body),
    credentials: "omit",
  });
  if (!response.ok) throw await asError(response);
  return response.json().catch(() => null);
}

/** @param {Response} response a failure; who is no longer known has to sign in again */
async function asError(response) {
  const content = await response.json().catch(() => null);
  if (response.status === 401 && signedIn()) endSession();
  return new ApiError(response.status, content?.detail ?? texts.errors.status(response.status));
}

/** @returns {Record<string, string>} */
export function authorization() {
  const known = token();
  return known ? { authorization: `Bearer ${known}` } : {};
}

/**
 * @param {string} path
 * @param {RequestInit} options
 */
async function answer(path, options) {
  try {
    return await fetch(path, options);
  } catch {
    throw new ApiError(0, texts.errors.unreachable);
  }
}
