/** What stays while pages come and go: navigation, theme switch, who is signed in. */

import { h, svg } from "./dom.js";
import { address } from "./router.js";
import { endSession, signedIn } from "./session.js";
import { texts } from "./texts.js";
import { currentTheme, switchTheme } from "./theme.js";

const ICONS = {
  today: "M4 5h16M4 12h10M4 19h6M17 15l2 2 3-4",
  skus: "M4 7l8-4 8 4v10l-8 4-8-4zM4 7l8 4 8-4M12 11v10",
  "what-if": "M4 18c5 0 5-12 10-12h6M14 18h6M17 3l3 3-3 3",
  scorecard: "M4 20V10M10 20V4M16 20v-8M22 20H2",
  system: "M3 12h4l3-8 4 16 3-8h4",
};

/** @param {string} path */
const icon = (path) =>
  svg(
    "svg",
    { viewBox: "0 0 24 24", "aria-hidden": "true", fill: "none", stroke: "currentColor", "stroke-width": 2 },
    svg("path", { d: path, "stroke-linecap": "round", "stroke-linejoin": "round" }),
  );

/** Builds the frame and returns the place for pages. */
export function frame() {
  const main = h("main", { id: "page", tabindex: -1 });
  document.body.append(
    h("a", { class: "skip", href: "#page", onclick: (/** @type {Event} */ event) => skipTo(event, main) }, texts.skip),
    h("header", { class: "side" }, brand(), navigation(), foot()),
    main,
    h("div", { id: "notices", role: "status" }),
  );
  return main;
}

/**
 * @param {Event} event the address must stay the page's
 * @param {HTMLElement} main
 */
function skipTo(event, main) {
  event.preventDefault();
  main.focus();
}

const brand = () => h("a", { class: "brand", href: address("today") }, h("img", { src: "icon.svg", alt: "" }), texts.product);

/** There is nothing to go to before somebody has signed in. */
function navigation() {
  const links = Object.entries(ICONS).map(([page, path]) => h("li", {}, h("a", { href: address(page) }, icon(path), texts.pages[page])));
  const nav = h("nav", { "aria-label": texts.navigation, hidden: true }, h("ul", {}, links));
  document.addEventListener("sessionchange", () => (nav.hidden = !signedIn()));
  return nav;
}

function foot() {
  const person = h("div", {});
  const theme = h("button", { class: "button plain", onclick: switchTheme });
  const follow = () => {
    theme.textContent = texts.theme[currentTheme()];
    person.replaceChildren(...personLines());
  };
  document.addEventListener("themechange", follow);
  document.addEventListener("sessionchange", follow);
  follow();
  return h("div", { class: "side-foot" }, theme, person);
}

function personLines() {
  const person = signedIn();
  if (!person) return [];
  return [
    h("div", {}, person.name, h("div", { class: "muted" }, texts.roles[person.role])),
    h("button", { class: "button plain", onclick: endSession }, texts.signOut),
  ];
}

/** @param {string} page */
export function markCurrent(page) {
  const wanted = address(page === "sku" ? "skus" : page);
  for (const link of document.querySelectorAll(".side li a")) {
    if (link.getAttribute("href") === wanted) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}
