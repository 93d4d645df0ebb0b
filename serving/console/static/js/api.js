/** Requests to the API this page came from; every failure becomes an ApiError that says what to do. */

import { endSession, signedIn, token } from "./session.js";
import { texts } from "./texts.js";

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

/**
 * @param {string} path
 * @param {Record<string, string|number|boolean|null|undefined>} [query] empty values are left out
 */
export async function read(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return request("GET", text ? `${path}?${text}` : path);
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
  const content = await response.json().catch(() => null);
  if (response.ok) return content;
  if (response.status === 401 && signedIn()) endSession();
  throw new ApiError(response.status, content?.detail ?? texts.errors.status(response.status));
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
