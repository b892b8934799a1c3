import { type DotfileTree, dotfileOf, type TreeEntry } from './tree.ts';

/** After a save one piece is made anew: small enough to cost little, large enough that there are few to put together. */
const entriesPerPiece = 50;

interface Piece {
  readonly entries: readonly TreeEntry[];
  readonly bytes: Buffer;
}

const opening = Buffer.from('{"dotfiles":[');
const comma = Buffer.from(',');
const closing = Buffer.from(']}');

/** They hold names in the clear, as the tree does, and go with it. */
const piecesOf = new WeakMap<DotfileTree, readonly Piece[]>();

/**
 * The list of a user as it is sent, JSON in UTF-8. Made anew each time, it was two thirds of the service's work under load, and most
 * of what its garbage collector had to clear away; what is as it was last time is copied.
 */
export function listBytesOf(tree: DotfileTree): Buffer {
  const before = piecesOf.get(tree) ?? [];
  const sorted = tree.sorted();
  const pieces: Piece[] = [];
  for (let start = 0; start < sorted.length; start += entriesPerPiece) {
    const entries = sorted.slice(start, start + entriesPerPiece);
    const known = before[pieces.length];
    pieces.push(known !== undefined && isSame(known.entries, entries) ? known : { entries, bytes: bytesOf(entries) });
  }
  piecesOf.set(tree, pieces);
  const listed = pieces.flatMap(({ bytes }, index) => (index === 0 ? [bytes] : [comma, bytes]));
  const end = tree.damaged === 0 ? closing : Buffer.from(`],"damaged":${tree.damaged}}`);
  return Buffer.concat([opening, ...listed, end]);
}

/** One that has changed is another object. */
function isSame(known: readonly TreeEntry[], entries: readonly TreeEntry[]): boolean {
  return known.length === entries.length && known.every((entry, index) => entry === entries[index]);
}

function bytesOf(entries: readonly TreeEntry[]): Buffer {
  return Buffer.from(JSON.stringify(entries.map(dotfileOf)).slice(1, -1));
}
