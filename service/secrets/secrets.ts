import type { Transaction } from 'kysely';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { checkEnvName } from '../../protocol/envName.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { maxSecretBytes, maxSecretBytesPerUser, maxSecretsPerUser } from '../../protocol/limits.ts';
import { type Secret, SecretScope, secretUse } from '../../protocol/secrets.ts';
import { checkSpoonName } from '../../protocol/spoonName.ts';
import type { Keyring } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';
import type { SecretRow, Tables } from '../store/tables.ts';
import type { SealedValues } from './sealedValues.ts';

export interface SecretsParts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly sealedValues: SealedValues;
  readonly now: () => number;
  readonly onDamage: (damage: { userId: string; error: SpoonError }) => void;
}

export interface NewSecret {
  readonly name: string;
  readonly spoon: string | null;
  /** Undefined: the value stays. */
  readonly box: Uint8Array | undefined;
  readonly scopes: readonly SecretScope[] | undefined;
  readonly file: boolean | undefined;
}

export interface Injection {
  readonly environment: Record<string, string>;
  /** In base64. */
  readonly secretFiles: Record<string, string>;
  /** Of those it has, as {@link Secrets.idOf} gives them. */
  readonly ids: string[];
  /** For the person who starts the process. */
  readonly notes: string[];
}

const shownIdDigits = 16;

const Head = Type.Object({
  name: Type.String(),
  spoon: Type.Union([Type.String(), Type.Null()]),
  scopes: Type.Array(SecretScope),
  file: Type.Boolean(),
});

/**
 * The secrets of each user: written, listed by name, removed, and put into the environment of what is started. Nothing gives a
 * value to a client (`security.md` 2.4).
 */
export class Secrets {
  readonly #parts: SecretsParts;

  constructor(parts: SecretsParts) {
    this.#parts = parts;
  }

  /** By name; those for all threads before those of one spoon. Damaged ones are left out. */
  async list(userId: string): Promise<Secret[]> {
    return (await this.#read(userId)).secrets;
  }

  /**
   * Sets or replaces one, or says anew where one appears.
   * @throws SpoonError `env-name-invalid`, `spoon-name-invalid`, `secret-invalid`, `secret-limit`, `body-too-large`, and what
   *   {@link SealedValues.check} throws; `not-found` where there is neither a value nor one before
   */
  async set(userId: string, { name, spoon, box, scopes, file }: NewSecret): Promise<Secret> {
    checkEnvName(name);
    if (spoon !== null) checkSpoonName(spoon);
    let size = 0;
    const use = secretUse(name, spoon);
    const { store, keyring, sealedValues, now } = this.#parts;
    let isText = true;
    const inspect = (value: Uint8Array): void => {
      isText = fitsVariable(value);
      size = value.length;
    };
    const checked =
      box === undefined ? undefined : await sealedValues.check(userId, use, box, { maxBytes: maxSecretBytes, inspect });
    const mac = await keyring.mac(userId, 'sealed-use', Buffer.from(use));
    const updatedMs = now();
    return store.transaction(async (trx) => {
      const before = await this.#row(trx, userId, mac);
      if (checked === undefined) {
        const stored = before && (await sealedValues.open(userId, use, trx));
        if (stored === undefined)
          throw new SpoonError('not-found', 'There is no such secret. A new one needs a value.');
        inspect(stored);
        stored.fill(0);
      }
      await checkRoom(trx, userId, { mac, size });
      const known = before === undefined ? undefined : await this.#open(before);
      const where = { scopes: [...(scopes ?? known?.scopes ?? ['shells'])], file: file ?? known?.file ?? false };
      if (!where.file && !isText) throw new SpoonError('secret-invalid');
      // Shells that have the value need not hear that setups have it now too.
      const isNews = checked !== undefined || (where.scopes.includes('shells') && !known?.scopes.includes('shells'));
      const changedMs = isNews || before === undefined ? updatedMs : before.updated_ms;
      const secret: Secret = { name, spoon, ...where, updatedMs: changedMs };
      const head = Buffer.from(JSON.stringify({ name, spoon, ...where }));
      const values = { head_enc: await keyring.seal(context(userId, mac), head), size, updated_ms: changedMs };
      await trx
        .insertInto('secrets')
        .values({ user_id: userId, use_mac: mac, ...values })
        .onConflict((conflict) => conflict.columns(['user_id', 'use_mac']).doUpdateSet(values))
        .execute();
      if (checked !== undefined) await sealedValues.write(trx, checked);
      return secret;
    });
  }

  /** @throws SpoonError `not-found` */
  async remove(userId: string, name: string, spoon: string | null): Promise<void> {
    const { store, keyring, sealedValues } = this.#parts;
    const use = secretUse(name, spoon);
    const mac = await keyring.mac(userId, 'sealed-use', Buffer.from(use));
    await store.transaction(async (trx) => {
      if ((await this.#row(trx, userId, mac)) === undefined) throw new SpoonError('not-found');
      await trx.deleteFrom('secrets').where('user_id', '=', userId).where('use_mac', '=', mac).execute();
      await sealedValues.remove(trx, userId, use);
    });
  }

  /**
   * What a process that is started now gets. One that does not open is left out and said: a terminal opens all the same.
   * @param spoon of the thread it is started in
   */
  async forProcess(userId: string, scope: SecretScope, spoon: string | null): Promise<Injection> {
    const wanted = new Map<string, Secret>();
    const { secrets, damaged } = await this.#read(userId);
    const notes = damaged === 0 ? [] : [`Damaged secrets were left out: ${damaged}. Set again what is missing.`];
    for (const secret of secrets) {
      const isMeant = secret.scopes.includes(scope) && (secret.spoon === null || secret.spoon === spoon);
      // Those of the spoon come after those for all, and win.
      if (isMeant) wanted.set(secret.name, secret);
    }
    const environment: Record<string, string> = {};
    const secretFiles: Record<string, string> = {};
    const ids: string[] = [];
    for (const secret of wanted.values()) {
      try {
        const value = await this.#parts.sealedValues.open(userId, secretUse(secret.name, secret.spoon));
        if (value === undefined) throw new SpoonError('integrity-failure');
        if (secret.file) secretFiles[secret.name] = Buffer.from(value).toString('base64');
        else environment[secret.name] = Buffer.from(value).toString('utf8');
        value.fill(0);
        ids.push(await this.idOf(userId, secret.name, secret.spoon));
      } catch (error) {
        if (!(error instanceof SpoonError)) throw error;
        notes.push(`The secret ${secret.name} cannot be opened and is left out. Set it again: ${error.message}`);
      }
    }
    return { environment, secretFiles, ids, notes };
  }

  /** Names one where its name must not be told: the beginning of a keyed hash, of use to nobody without the key. */
  async idOf(userId: string, name: string, spoon: string | null): Promise<string> {
    const mac = await this.#parts.keyring.mac(userId, 'sealed-use', Buffer.from(secretUse(name, spoon)));
    return Buffer.from(mac).toString('hex').slice(0, shownIdDigits);
  }

  async #read(userId: string): Promise<{ secrets: Secret[]; damaged: number }> {
    const { store, onDamage } = this.#parts;
    const rows = await store.db.selectFrom('secrets').selectAll().where('user_id', '=', userId).execute();
    const secrets: Secret[] = [];
    for (const row of rows) {
      try {
        secrets.push(await this.#open(row));
      } catch (error) {
        if (!(error instanceof SpoonError) || error.code !== 'integrity-failure') throw error;
        onDamage({ userId, error });
      }
    }
    const key = ({ name, spoon }: Secret): string => `${name}\0${spoon ?? ''}`;
    secrets.sort((a, b) => (key(a) < key(b) ? -1 : 1));
    return { secrets, damaged: rows.length - secrets.length };
  }

  async #open(row: SecretRow): Promise<Secret> {
    const text = await this.#parts.keyring.open(context(row.user_id, row.use_mac), row.head_enc);
    const head: unknown = JSON.parse(Buffer.from(text).toString('utf8'));
    if (!Value.Check(Head, head)) throw new SpoonError('integrity-failure');
    return { ...head, updatedMs: row.updated_ms };
  }

  #row(trx: Transaction<Tables>, userId: string, mac: Uint8Array): Promise<SecretRow | undefined> {
    return trx
      .selectFrom('secrets')
      .selectAll()
      .where('user_id', '=', userId)
      .where('use_mac', '=', mac)
      .executeTakeFirst();
  }
}

/** Whether an environment can hold it: text that has no NUL (execve(2)). */
function fitsVariable(value: Uint8Array): boolean {
  if (value.includes(0)) return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(value);
    return true;
  } catch {
    return false;
  }
}

/** @throws SpoonError `secret-limit` */
async function checkRoom(
  trx: Transaction<Tables>,
  userId: string,
  { mac, size }: { mac: Uint8Array; size: number },
): Promise<void> {
  const { count, bytes } = await trx
    .selectFrom('secrets')
    .where('user_id', '=', userId)
    .where('use_mac', '!=', mac)
    .select(({ fn }) => [fn.countAll<number>().as('count'), fn.sum<number | null>('size').as('bytes')])
    .executeTakeFirstOrThrow();
  if (Number(count) >= maxSecretsPerUser) throw new SpoonError('secret-limit', `At most ${maxSecretsPerUser}.`);
  if (Number(bytes ?? 0) + size > maxSecretBytesPerUser) {
    throw new SpoonError('secret-limit', `All together may have ${maxSecretBytesPerUser / 1024} KiB.`);
  }
}

function context(ownerId: string, mac: Uint8Array) {
  return {
    ownerId,
    kind: 'name',
    objectId: `secret/${Buffer.from(mac).toString('hex')}`,
    version: 0,
    mode: 0,
  } as const;
}
