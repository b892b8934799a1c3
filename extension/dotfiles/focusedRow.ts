/**
 * What a key of the tree means: the row that has the focus, or the whole selection when that row is one of it. VS Code tells
 * extensions the selection alone, so the bindings toggle the focused row there and back before their command, which comes right
 * after (docs/decisions/0110-keys-of-the-tree.md).
 */
export class FocusedRow<T> {
  #selection: readonly T[] = [];
  /** The row that came into the selection or left it last, and how often in a row. */
  #toggled: { readonly row: T; readonly times: number } | undefined;

  selectionChanged(selection: readonly T[]): void {
    const [row, ...others] = difference(this.#selection, selection);
    this.#selection = selection;
    if (row === undefined || others.length > 0) this.#toggled = undefined;
    else this.#toggled = { row, times: row === this.#toggled?.row ? this.#toggled.times + 1 : 1 };
  }

  /** Of the key whose command runs now. Undefined where nothing was toggled for it. */
  take(): readonly T[] | undefined {
    const toggled = this.#toggled;
    this.#toggled = undefined;
    if (toggled === undefined || toggled.times < 2) return undefined;
    return this.#selection.includes(toggled.row) ? this.#selection : [toggled.row];
  }
}

function difference<T>(one: readonly T[], other: readonly T[]): T[] {
  return [...one.filter((node) => !other.includes(node)), ...other.filter((node) => !one.includes(node))];
}
