/** Elements are built, never parsed: text from the API cannot become markup. */

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Node|string|number|null|undefined|false} Child */

/**
 * @param {string} tag
 * @param {Record<string, any>} [attributes] `onclick` and the like are listeners, `style` an object of
 *   properties, null and false are left out
 * @param {...(Child|Child[])} children null and false are left out
 * @returns {any}
 */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/**
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Child|Child[])} children
 * @returns {any}
 */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * @param {Element} element
 * @param {Record<string, any>} attributes
 * @param {any[]} children
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  element.append(...children.flat(Infinity).filter(isShown).map(asNode));
  return element;
}

/** @param {any} child */
const isShown = (child) => child !== null && child !== undefined && child !== false;

/** @param {any} child */
const asNode = (child) => (child instanceof Node ? child : String(child));

/**
 * @param {any} element
 * @param {string} name
 * @param {any} value
 */
function setAttribute(element, name, value) {
  if (!isShown(value)) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "style") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
  else element.setAttribute(name, value === true ? "" : value);
}

let lastId = 0;

/**
 * @param {string} prefix
 * @returns {string} an id no other element has
 */
export function newId(prefix) {
  lastId += 1;
  return `${prefix}-${lastId}`;
}
