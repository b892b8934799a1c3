import type { KeyObject } from 'node:crypto';
import { deriveKey, deriveKeyObject } from './derive.ts';
import { type BlobContext, blobKinds, type DataKeyName } from './envelope.ts';
import { ExpiringCache } from './expiringCache.ts';

/** The key of an owner's hashes, as the owner's first data key gives it. */
export function macKeyOf(dataKey: Uint8Array): Buffer {
  return deriveKey(dataKey, 'spoon/v1/mac');
}

/** One owner's data key, as the subkeys that are used; the key itself is not kept. */
export class DataKey implements DataKeyName {
  readonly id: string;
  readonly ownerId: string;
  readonly #sealing: Map<BlobContext['kind'], KeyObject>;
  readonly #mac: Buffer;
  #erased = false;

  /**
   * @param bytes is overwritten with zeros
   * @param mac the key of the owner's hashes, where it is older than this data key
   */
  constructor({ id, ownerId }: DataKeyName, bytes: Buffer, mac?: Buffer) {
    this.id = id;
    this.ownerId = ownerId;
    this.#sealing = new Map(blobKinds.map((kind) => [kind, deriveKeyObject(bytes, `spoon/v1/${kind}`)]));
    this.#mac = mac ?? macKeyOf(bytes);
    bytes.fill(0);
  }

  /** No longer usable. */
  get erased(): boolean {
    return this.#erased;
  }

  /** Seals and opens blobs of one kind. */
  keyFor(kind: BlobContext['kind']): KeyObject {
    const key = this.#sealing.get(kind);
    if (key === undefined) throw new Error('DataKey: used after it was erased.');
    return key;
  }

  get macKey(): Buffer {
    if (this.#erased) throw new Error('DataKey: used after it was erased.');
    return this.#mac;
  }

  erase(): void {
    this.#erased = true;
    this.#sealing.clear();
    this.#mac.fill(0);
  }
}

/** security.md 2.7: so that a dump of the memory has few keys, and none of somebody who left long ago. */
const maxKeys = 1_000;
const lifeMs = 15 * 60_000;

/** The unwrapped keys of who was here lately. What leaves is erased. */
export class DataKeyCache {
  readonly #keys: ExpiringCache<DataKey>;
  readonly #activeOf = new Map<string, string>();

  /** @param now a clock that never goes back, in milliseconds */
  constructor(now?: () => number) {
    this.#keys = new ExpiringCache<DataKey>(
      {
        maxWeight: maxKeys,
        lifeMs,
        onDrop: (key) => {
          if (this.#activeOf.get(key.ownerId) === key.id) this.#activeOf.delete(key.ownerId);
          key.erase();
        },
      },
      now,
    );
  }

  get(id: string): DataKey | undefined {
    return this.#keys.get(id);
  }

  activeOf(ownerId: string): DataKey | undefined {
    const id = this.#activeOf.get(ownerId);
    return id === undefined ? undefined : this.#keys.get(id);
  }

  /** @returns the key to use: the one that is there already when two loads of one key meet, for it may be in use */
  put(key: DataKey, isActive: boolean): DataKey {
    const known = this.#keys.get(key.id);
    if (known !== undefined) {
      key.erase();
      return known;
    }
    if (isActive) this.#activeOf.set(key.ownerId, key.id);
    this.#keys.put(key.id, key);
    return key;
  }

  drop(id: string): void {
    this.#keys.drop(id);
  }

  clear(): void {
    this.#keys.clear();
  }
}
