/**
 * What a key of the tree means: the row that has the focus, or the whole selection when that row is one of it. VS Code tells
 * extensions the selection alone, so the bindings toggle the focused row there and back before their command
 * (docs/decisions/0110-keys-of-the-tree.md). The command can come late, after the next click; what it was meant for is
 * remembered from the toggles.
 */
export class FocusedRow<T> {
  readonly #now: () => number;
  #selection: readonly T[] = [];
  readonly #turns: Turn<T>[] = [];

  /** @param now in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  selectionChanged(selection: readonly T[]): void {
    const atMs = this.#now();
    const [row, ...others] = difference(this.#selection, selection);
    this.#selection = selection;
    if (row === undefined || others.length > 0) return;
    const last = this.#turns.at(-1);
    const goesOn = last?.row === row && atMs - last.atMs <= togglesWithinMs;
    if (goesOn) Object.assign(last, { selection, atMs, count: last.count + 1 });
    else this.#turns.push({ row, selection, atMs, count: 1 });
    const sinceMs = atMs - commandWithinMs;
    while ((this.#turns[0]?.atMs ?? sinceMs) < sinceMs) this.#turns.shift();
  }

  /** Of the key whose command runs now: the first that was not taken yet. Undefined when none is known. */
  take(): readonly T[] | undefined {
    const sinceMs = this.#now() - commandWithinMs;
    const turn = this.#turns.find(({ count, atMs }) => count >= togglesOfKey && atMs >= sinceMs);
    if (turn === undefined) return undefined;
    turn.count -= togglesOfKey;
    // What is left over and makes no key was of the mouse, before it.
    if (turn.count < togglesOfKey) turn.count = 0;
    return turn.selection.includes(turn.row) ? turn.selection : [turn.row];
  }
}

/** One row that comes into the selection and goes again and again: so many changes for each key, and one for a Ctrl+click. */
interface Turn<T> {
  readonly row: T;
  selection: readonly T[];
  atMs: number;
  count: number;
}

/** As the bindings in package.json have it; even, so that the selection is what it was. Nobody does it by hand. */
const togglesOfKey = 4;
/** They are sent in one go, but an extension host that is busy or has no processor takes its time between any two. */
const togglesWithinMs = 5_000;
/** At its first use a command waits for VS Code to ask the extensions about it. Later than this it is of another key. */
const commandWithinMs = 30_000;

function difference<T>(one: readonly T[], other: readonly T[]): T[] {
  return [...one.filter((node) => !other.includes(node)), ...other.filter((node) => !one.includes(node))];
}
