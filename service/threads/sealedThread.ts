import { type Static, Type } from 'typebox';
import { Check } from 'typebox/value';
import { SpoonError } from '../../protocol/errors.ts';
import type { Keyring } from '../keyring/keyring.ts';
import type { SpoonRow, ThreadRow } from '../store/tables.ts';

/**
 * How spoons and threads are sealed (docs/formats.md): a head of JSON, bound to its owner and row. A thread's head names its
 * spoon, so that a row led to another spoon does not open. Names are found by keyed hashes.
 */

const SpoonHead = Type.Object({
  name: Type.String(),
  url: Type.String(),
  defaultBranch: Type.Union([Type.String(), Type.Null()]),
});
export type SpoonHead = Static<typeof SpoonHead>;
const ThreadHead = Type.Object({ spoonId: Type.String(), branch: Type.String() });

interface Sealable {
  readonly id: string;
  readonly version: number;
}

function contextOf(userId: string, { id, version }: Sealable) {
  return { ownerId: userId, kind: 'name', objectId: id, version, mode: 0 } as const;
}

export function sealSpoon(keyring: Keyring, userId: string, of: Sealable, head: SpoonHead): Promise<Uint8Array> {
  return keyring.seal(contextOf(userId, of), Buffer.from(JSON.stringify(head)));
}

/** @throws SpoonError `integrity-failure`, `key-unavailable` */
export async function openSpoon(keyring: Keyring, row: SpoonRow): Promise<SpoonHead> {
  const head = parse(await keyring.open(contextOf(row.user_id, row), row.head_enc));
  if (!Check(SpoonHead, head)) throw new SpoonError('integrity-failure');
  return head;
}

/** A thread's head never changes. */
const onlyVersion = 1;

export function sealThread(
  keyring: Keyring,
  userId: string,
  { id, spoonId, branch }: { id: string; spoonId: string; branch: string },
): Promise<Uint8Array> {
  const head = Buffer.from(JSON.stringify({ spoonId, branch }));
  return keyring.seal(contextOf(userId, { id, version: onlyVersion }), head);
}

/** The branch. @throws SpoonError `integrity-failure`, `key-unavailable` */
export async function openThread(keyring: Keyring, row: ThreadRow): Promise<string> {
  const context = contextOf(row.user_id, { id: row.id, version: onlyVersion });
  const head = parse(await keyring.open(context, row.head_enc));
  if (!Check(ThreadHead, head) || head.spoonId !== row.spoon_id) throw new SpoonError('integrity-failure');
  return head.branch;
}

export function spoonMac(keyring: Keyring, userId: string, name: string): Promise<Uint8Array> {
  return keyring.mac(userId, 'spoon', Buffer.from(name));
}

export function branchMac(keyring: Keyring, userId: string, spoonId: string, branch: string): Promise<Uint8Array> {
  return keyring.mac(userId, 'thread', Buffer.from(`${spoonId}/${branch}`));
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new SpoonError('integrity-failure', undefined, { cause });
  }
}
