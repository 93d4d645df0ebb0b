/** Light or dark: the system's preference until somebody chooses. */

const system = matchMedia("(prefers-color-scheme: dark)");

/** @returns {"light"|"dark"} */
export function currentTheme() {
  return /** @type {any} */ (document.documentElement.dataset.theme) ?? (system.matches ? "dark" : "light");
}

/** Charts are drawn in pixels, so they listen for `themechange` on the document. */
function announce() {
  document.dispatchEvent(new Event("themechange"));
}

export function switchTheme() {
  const next = currentTheme() === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  localStorage.setItem("theme", next);
  announce();
}

system.addEventListener("change", announce);

/**
 * @param {string} name of a custom property such as `--accent`
 * @returns {string} its value in the current theme, as a canvas takes it
 */
export function colour(name) {
  const probe = document.createElement("span");
  probe.style.setProperty("color", `var(${name})`);
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
