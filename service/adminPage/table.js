import { setText } from './element.js';

/**
 * @typedef {object} Cell
 * @property {string} text
 * @property {string} [title]
 * @property {boolean} [isBad]
 */
/**
 * @typedef {object} Action
 * @property {string} label
 * @property {string} about who it is about: read out, not shown
 * @property {() => void} act
 */
/**
 * @typedef {object} Row
 * @property {string} key the same for the same thing, whatever became of it
 * @property {readonly Cell[]} cells the first is what the row is called
 * @property {Action} [action]
 */

/** A table whose rows stay the same elements while it is asked again: focus and selection stay where they are. */
export class Table {
  #body = document.createElement('tbody');
  /** @type {readonly string[]} */
  #columns;
  /** @type {Map<string, HTMLTableRowElement>} */
  #rows = new Map();

  /**
   * @param {HTMLTableElement} table
   * @param {readonly string[]} columns the last is that of actions when it is empty
   */
  constructor(table, columns) {
    this.#columns = columns;
    const head = document.createElement('thead');
    const row = withRole(document.createElement('tr'), 'row');
    row.append(...columns.map(headCell));
    head.append(row);
    // Said once more: as cards on narrow screens, browsers no longer take them for a table by themselves.
    withRole(table, 'table').replaceChildren(withRole(head, 'rowgroup'), withRole(this.#body, 'rowgroup'));
  }

  /** @param {readonly Row[]} rows */
  fill(rows) {
    const before = [...this.#rows.keys()];
    const known = this.#rows;
    this.#rows = new Map(rows.map((row) => [row.key, this.#fillRow(known.get(row.key), row)]));
    if (before.length === rows.length && rows.every(({ key }, index) => key === before[index])) return;
    const focused = document.activeElement;
    this.#body.replaceChildren(...this.#rows.values());
    if (focused instanceof HTMLElement && focused !== document.activeElement && focused.isConnected) focused.focus();
  }

  /** @param {HTMLTableRowElement | undefined} known @param {Row} row */
  #fillRow(known, { cells, action }) {
    const row = known ?? this.#newRow(cells.length);
    for (const [index, { text, title = '', isBad = false }] of cells.entries()) {
      const cell = row.cells[index];
      if (cell === undefined) continue;
      setText(cell.querySelector('bdi') ?? cell, text);
      if (cell.title !== title) cell.title = title;
      cell.classList.toggle('bad', isBad);
      cell.classList.toggle('empty', text === '');
    }
    const last = row.cells[cells.length];
    if (last !== undefined) fillAction(last, action);
    return row;
  }

  /** @param {number} cells */
  #newRow(cells) {
    const row = withRole(document.createElement('tr'), 'row');
    for (const [index, label] of this.#columns.entries()) {
      const cell = withRole(document.createElement(index === 0 ? 'th' : 'td'), index === 0 ? 'rowheader' : 'cell');
      if (index === 0) cell.scope = 'row';
      if (index === cells) cell.classList.add('action');
      else {
        cell.dataset.label = label;
        // Whatever a name does to the direction of writing ends with it.
        cell.append(document.createElement('bdi'));
      }
      row.append(cell);
    }
    return row;
  }
}

/** @param {string} label */
function headCell(label) {
  const cell = withRole(document.createElement('th'), 'columnheader');
  cell.scope = 'col';
  if (label === '') cell.append(unseen('Action'));
  else cell.textContent = label;
  return cell;
}

/** @param {HTMLTableCellElement} cell @param {Action | undefined} action */
function fillAction(cell, action) {
  cell.classList.toggle('empty', action === undefined);
  if (action === undefined) {
    cell.replaceChildren();
    return;
  }
  let button = cell.querySelector('button');
  if (button === null) {
    button = document.createElement('button');
    button.type = 'button';
    button.append(action.label, unseen(` ${action.about}`));
    cell.replaceChildren(button);
  }
  button.onclick = action.act;
}

/** @param {string} text */
function unseen(text) {
  const span = document.createElement('span');
  span.className = 'unseen';
  span.textContent = text;
  return span;
}

/**
 * @template {HTMLElement} T
 * @param {T} target
 * @param {string} role
 */
function withRole(target, role) {
  target.setAttribute('role', role);
  return target;
}
