import type { OverlayEntry } from '../../protocol/boxd.ts';
import { lengthPrefixed } from '../keyring/envelope.ts';
import type { Keyring } from '../keyring/keyring.ts';
import type { DotfileTree, TreeEntry } from './tree.ts';

/** What a home should hold, for boxd: no bytes, only their keyed names. */
export interface Overlay {
  /** Keyed hash over all entries: equal digests, equal overlays. */
  readonly digest: string;
  readonly entries: OverlayEntry[];
}

/** By the list it was made from, which the tree makes anew after each change. */
const made = new WeakMap<readonly TreeEntry[], Overlay>();

export async function overlayOf(keyring: Keyring, userId: string, tree: DotfileTree): Promise<Overlay> {
  const sorted = tree.sorted();
  const known = made.get(sorted);
  if (known !== undefined) return known;
  const entries = sorted.map(({ path, kind, mode, size, content }) => ({ path, kind, mode, size, content }));
  const list = JSON.stringify(entries.map(({ path, kind, mode, content }) => [path, kind, mode, content]));
  const digest = Buffer.from(await keyring.mac(userId, 'etag', lengthPrefixed(['overlay', list]))).toString('hex');
  const overlay = { digest, entries };
  made.set(sorted, overlay);
  return overlay;
}
