import { deriveKey } from './derive.ts';
import type { BlobContext, DataKeyName } from './envelope.ts';

/** One owner's data key, as the subkeys that are used; the key itself is not kept. */
export class DataKey implements DataKeyName {
  readonly id: string;
  readonly ownerId: string;
  /** No longer usable: its bytes are zero. */
  erased = false;
  readonly #subkeys: Readonly<Record<BlobContext['kind'] | 'mac', Buffer>>;

  /** @param bytes is overwritten with zeros */
  constructor({ id, ownerId }: DataKeyName, bytes: Buffer) {
    this.id = id;
    this.ownerId = ownerId;
    this.#subkeys = {
      file: deriveKey(bytes, 'spoon/v1/file'),
      name: deriveKey(bytes, 'spoon/v1/name'),
      secret: deriveKey(bytes, 'spoon/v1/secret'),
      token: deriveKey(bytes, 'spoon/v1/token'),
      mac: deriveKey(bytes, 'spoon/v1/mac'),
    };
    bytes.fill(0);
  }

  subkey(use: BlobContext['kind'] | 'mac'): Buffer {
    if (this.erased) throw new Error('DataKey: used after it was erased.');
    return this.#subkeys[use];
  }

  erase(): void {
    this.erased = true;
    for (const subkey of Object.values(this.#subkeys)) subkey.fill(0);
  }
}

/** security.md 2.7: so that a dump of the memory has few keys, and none of somebody who left long ago. */
const maxEntries = 1_000;
const lifeMs = 15 * 60_000;

/** The unwrapped keys of who was here lately. What leaves is zeroed. */
export class DataKeyCache {
  readonly #now: () => number;
  readonly #entries = new Map<string, { key: DataKey; expiresMs: number }>();
  readonly #activeOf = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;

  /** @param now a clock that never goes back, in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(id: string): DataKey | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    if (entry.expiresMs <= this.#now()) {
      this.drop(id);
      return undefined;
    }
    // Last in the map is used last.
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    return entry.key;
  }

  activeOf(ownerId: string): DataKey | undefined {
    const id = this.#activeOf.get(ownerId);
    return id === undefined ? undefined : this.get(id);
  }

  /** Keeps the key that is there already when two loads of one key meet: the other one's may be in use. */
  put(key: DataKey, isActive: boolean): DataKey {
    const known = this.get(key.id);
    if (known !== undefined) key.erase();
    const kept = known ?? key;
    if (isActive) this.#activeOf.set(kept.ownerId, kept.id);
    if (known === undefined) {
      this.#entries.set(key.id, { key, expiresMs: this.#now() + lifeMs });
      const oldest = this.#entries.keys().next().value;
      if (this.#entries.size > maxEntries && oldest !== undefined) this.drop(oldest);
      this.#scheduleSweep();
    }
    return kept;
  }

  drop(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    if (this.#activeOf.get(entry.key.ownerId) === id) this.#activeOf.delete(entry.key.ownerId);
    entry.key.erase();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const id of [...this.#entries.keys()]) this.drop(id);
  }

  /** Drops what is too old, also when nobody asks any more. */
  sweep(): void {
    const now = this.#now();
    for (const [id, { expiresMs }] of [...this.#entries]) if (expiresMs <= now) this.drop(id);
  }

  #scheduleSweep(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.sweep();
      if (this.#entries.size > 0) this.#scheduleSweep();
    }, lifeMs / 15);
    this.#timer.unref();
  }
}
