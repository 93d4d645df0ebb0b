/** Rows ticked for one action on all of them; ticks survive paging and sorting. */

import { h } from "./dom.js";
import { texts } from "./texts.js";

/** @template Row */
export class Selection extends EventTarget {
  /**
   * @param {(row: Row) => string|null} identify null where a row cannot be chosen
   * @param {(row: Row) => string} name
   */
  constructor(identify, name) {
    super();
    this.identify = identify;
    this.name = name;
    /** @type {Map<string, Row>} */
    this.chosen = new Map();
    /** @type {Row[]} */
    this.shown = [];
  }

  /** @param {Row[]} rows now on the page */
  shows(rows) {
    this.shown = rows.filter((row) => this.identify(row) !== null);
  }

  clear() {
    this.chosen.clear();
    this.changed();
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  /**
   * @param {Row} row
   * @param {boolean} isChosen
   */
  put(row, isChosen) {
    const id = /** @type {string} */ (this.identify(row));
    if (isChosen) this.chosen.set(id, row);
    else this.chosen.delete(id);
  }

  /** @param {Row} row */
  has(row) {
    return this.chosen.has(this.identify(row) ?? "");
  }

  /**
   * @param {Row} row
   * @returns {HTMLElement|null}
   */
  box(row) {
    if (this.identify(row) === null) return null;
    const change = (/** @type {any} */ event) => {
      this.put(row, event.target.checked);
      this.changed();
    };
    const box = h("input", { type: "checkbox", "aria-label": texts.table.choose(this.name(row)), onchange: change });
    const follow = () => (box.checked = this.has(row));
    this.addEventListener("change", follow);
    follow();
    return box;
  }

  /** @returns {HTMLElement} ticks every row of the page */
  all() {
    const change = (/** @type {any} */ event) => {
      this.shown.forEach((row) => this.put(row, event.target.checked));
      this.changed();
    };
    const box = h("input", { type: "checkbox", "aria-label": texts.table.chooseAll, onchange: change });
    const follow = () => {
      const ticked = this.shown.filter((row) => this.has(row)).length;
      box.checked = ticked > 0 && ticked === this.shown.length;
      box.indeterminate = ticked > 0 && !box.checked;
    };
    this.addEventListener("change", follow);
    follow();
    return box;
  }
}
