import type { Transaction } from 'kysely';
import type { BoxdCredential } from '../../protocol/boxdRepository.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { knownHostKeys } from '../../protocol/knownHostKeys.ts';
import { maxSecretBytes } from '../../protocol/limits.ts';
import {
  checkCredentialUsername,
  checkDeployKey,
  checkToken,
  credentialHost,
  credentialUse,
  defaultUsername,
  kindFor,
  type RepositoryCredential,
  readHostKeys,
  type SetRepositoryCredentialRequest,
} from '../../protocol/repositoryCredential.ts';
import type { SealedValues } from '../secrets/sealedValues.ts';
import type { Tables } from '../store/tables.ts';
import { noRepository, type RepositoryRecords, type StoredRepository } from './repositoryRecords.ts';

type Change = Parameters<RepositoryRecords['write']>[1];

export interface RepositoryCredentialsParts {
  readonly records: RepositoryRecords;
  readonly sealedValues: SealedValues;
  readonly now: () => number;
}

/**
 * The token or deploy key of each user's private repository: written, replaced, forgotten, and opened for the git in their box.
 * Nothing gives the value to a client.
 */
export class RepositoryCredentials {
  readonly #parts: RepositoryCredentialsParts;

  constructor(parts: RepositoryCredentialsParts) {
    this.#parts = parts;
  }

  /** Replaces what was there. @throws SpoonError `credential-invalid`, `host-key-invalid`, `seal-…`, `body-too-large` */
  async set(userId: string, request: SetRepositoryCredentialRequest): Promise<void> {
    const { credential, checked } = await this.#check(userId, request);
    await this.#write(
      userId,
      (before = noRepository) => ({ ...before, credential }),
      (trx) => this.#parts.sealedValues.write(trx, checked),
    );
  }

  /**
   * A change of what is kept of a repository, in one step with what git is let in with there.
   * @param credential undefined: as before, where it is for this host; null: none
   * @throws SpoonError as {@link set}, and `credential-invalid` for another host; nothing is changed then
   */
  async changeWith(
    userId: string,
    { url, credential: given }: { url: string; credential: SetRepositoryCredentialRequest | null | undefined },
    change: (before: StoredRepository | undefined) => StoredRepository,
  ): Promise<void> {
    if (given === undefined) return this.change(userId, change);
    if (given === null) return this.change(userId, (before) => withoutCredential(change(before)));
    checkMeant(url, given);
    const { credential, checked } = await this.#check(userId, given);
    await this.#write(
      userId,
      (before) => ({ ...change(before), credential }),
      (trx) => this.#parts.sealedValues.write(trx, checked),
    );
  }

  /** What is offered for this address, as git needs it; it is not kept. @throws SpoonError as {@link changeWith} */
  async look(userId: string, url: string, request: SetRepositoryCredentialRequest): Promise<BoxdCredential> {
    checkMeant(url, request);
    const { credential, text } = await this.#check(userId, request);
    return boxdCredential(credential, text);
  }

  /** Does nothing where there is none. */
  async remove(userId: string): Promise<void> {
    await this.change(userId, (before) => (before?.credential === undefined ? before : withoutCredential(before)));
  }

  /** Writes what is kept of a repository; a token or key that is not named in it any more is not kept either. */
  async change(userId: string, change: Change): Promise<void> {
    await this.#write(userId, change, async () => undefined);
  }

  async #check(userId: string, request: SetRepositoryCredentialRequest) {
    const { kind, host, sealed, username = defaultUsername, hostKeys = [] } = request;
    const { sealedValues, now } = this.#parts;
    const credential: RepositoryCredential = {
      kind,
      host,
      username: checkCredentialUsername(username),
      hostKeys: kind === 'key' ? readHostKeys(hostKeys.join('\n')) : [],
      updatedMs: now(),
    };
    if (kind === 'key' && credential.hostKeys.length === 0 && knownHostKeys[host] === undefined) {
      throw new SpoonError(
        'host-key-invalid',
        `Spoon does not know the keys of ${host}. Give what ssh-keyscan prints.`,
      );
    }
    let text = '';
    const inspect = (value: Uint8Array) => {
      text = Buffer.from(value).toString('utf8');
      if (kind === 'token') checkToken(text);
      else checkDeployKey(text);
    };
    const box = Buffer.from(sealed, 'base64');
    const use = credentialUse(kind, host);
    const checked = await sealedValues.check(userId, use, box, { maxBytes: maxSecretBytes, inspect });
    return { credential, checked, text };
  }

  /** The record and the values it names in one step: what is kept of them always fits together. */
  async #write(userId: string, change: Change, put: (trx: Transaction<Tables>) => Promise<void>): Promise<void> {
    const { records, sealedValues } = this.#parts;
    await records.write(userId, change, async (trx, before, after) => {
      const [old, used] = [before?.credential, after.credential];
      if (old !== undefined && (used?.kind !== old.kind || used.host !== old.host)) {
        await sealedValues.remove(trx, userId, credentialUse(old.kind, old.host));
      }
      await put(trx);
    });
  }

  /** For git's question to the server of this address. @throws SpoonError `integrity-failure`, `key-unavailable` */
  async open(userId: string, url: string): Promise<BoxdCredential | undefined> {
    const { records, sealedValues } = this.#parts;
    const [host, kind] = [credentialHost(url), kindFor(url)];
    // At one time: between two reads it may be set or removed.
    return records.readWith(userId, async (trx, stored) => {
      const credential = stored?.credential;
      if (credential?.host !== host || credential.kind !== kind) return undefined;
      const value = await sealedValues.open(userId, credentialUse(kind, host), trx);
      if (value === undefined) {
        throw new SpoonError('integrity-failure', 'Set the token or key of the repository again.');
      }
      const text = Buffer.from(value).toString('utf8');
      value.fill(0);
      return boxdCredential(credential, text);
    });
  }
}

function boxdCredential({ kind, host, username, hostKeys }: RepositoryCredential, text: string): BoxdCredential {
  return kind === 'token'
    ? { kind, host, username, token: text }
    : { kind, host, key: checkDeployKey(text), hostKeys: [...hostKeys] };
}

/** @throws SpoonError `credential-invalid` */
function checkMeant(url: string, { kind, host }: SetRepositoryCredentialRequest): void {
  if (host === credentialHost(url) && kind === kindFor(url)) return;
  throw new SpoonError(
    'credential-invalid',
    `It is for ${host}, and the repository is not fetched from there with it.`,
  );
}

function withoutCredential({ credential: _, ...rest }: StoredRepository): StoredRepository {
  return rest;
}
