import type { DiskSpace, HealthFinding } from '../protocol/admin.ts';
import { SpoonError } from '../protocol/errors.ts';
import { type Keyring, systemOwnerId } from './keyring/keyring.ts';
import type { Store } from './store/database.ts';

export interface HealthSources {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly engine: { findings(): Promise<readonly HealthFinding[]>; isAway(): Promise<boolean> };
  /** Those whose room matters. */
  readonly disks: () => Promise<readonly DiskSpace[]>;
  /** In plain words. */
  readonly certificate: () => readonly string[];
  /** In plain words. */
  readonly audit: () => readonly string[];
  /** A check that failed in a way nobody thought of. */
  readonly onError: (error: unknown) => void;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

interface Look {
  readonly notReady: readonly string[];
  readonly findings: readonly HealthFinding[];
}

/** Anybody may ask, so what is asked of the disk is asked at most so often. */
const freshMs = 5_000;
const gibi = 2 ** 30;
/** Of a file system: with less than this much and this part free, somebody should look. */
const lowBytes = 2 * gibi;
const lowPart = 0.05;
const diskNames = { all: 'The disk', database: 'The disk of the database', homes: 'The disk of the homes' } as const;
const probeName = 'health-probe';

/** What of the service can be used, and what is not as it should be. */
export class ServiceHealth {
  readonly #sources: HealthSources;
  readonly #now: () => number;
  #looked: { atMs: number; look: Promise<Look> } | undefined;

  constructor(sources: HealthSources) {
    this.#sources = sources;
    this.#now = sources.now ?? (() => performance.now());
  }

  /** For administrators. */
  async findings(): Promise<readonly HealthFinding[]> {
    return (await this.#look()).findings;
  }

  /** What cannot be used at all, in words that may be told anybody. */
  async notReady(): Promise<readonly string[]> {
    return (await this.#look()).notReady;
  }

  #look(): Promise<Look> {
    const nowMs = this.#now();
    if (this.#looked === undefined || nowMs - this.#looked.atMs > freshMs) {
      this.#looked = { atMs: nowMs, look: this.#lookAnew() };
    }
    return this.#looked.look;
  }

  async #lookAnew(): Promise<Look> {
    const { engine, certificate, audit } = this.#sources;
    const [database, key, isAway, ofEngine, ofDisks] = await Promise.all([
      this.#isFine(() => this.#writeToStore()),
      this.#isFine(() => this.#useKey()),
      engine.isAway(),
      engine.findings(),
      this.#diskFindings(),
    ]);
    const unusable: HealthFinding[] = [];
    if (!database) unusable.push(failed('database', 'The database cannot be written. What is stored can be read.'));
    if (!key) unusable.push(failed('key', 'The key of the service cannot be used.'));
    const ofCertificate = certificate().map((text) => warning('certificate', text));
    const ofAudit = audit().map((text) => warning('database', text));
    return {
      notReady: [...unusable.map(({ text }) => text), ...(isAway ? ['The container engine does not answer.'] : [])],
      findings: [...unusable, ...ofEngine, ...ofDisks, ...ofCertificate, ...ofAudit],
    };
  }

  /** A real write: that a lock can be had says nothing about the disk. */
  async #writeToStore(): Promise<void> {
    const value = String(Date.now());
    await this.#sources.store.transaction((trx) =>
      trx
        .insertInto('facts')
        .values({ name: probeName, value })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
        .execute(),
    );
  }

  async #useKey(): Promise<void> {
    await this.#sources.keyring.mac(systemOwnerId, 'token', Buffer.from(probeName));
  }

  async #isFine(check: () => Promise<void>): Promise<boolean> {
    try {
      await check();
      return true;
    } catch (error) {
      // A busy or full store is told where it is asked of; anything else is a bug that the log must have.
      if (!(error instanceof SpoonError)) this.#sources.onError(error);
      return false;
    }
  }

  async #diskFindings(): Promise<HealthFinding[]> {
    return (await this.#sources.disks())
      .filter(({ freeBytes, totalBytes }) => freeBytes < Math.min(lowBytes, totalBytes * lowPart))
      .map(
        ({ holds, freeBytes }): HealthFinding => ({
          about: 'disk',
          state: 'warning',
          text: `${diskNames[holds]} is nearly full: ${Math.floor(freeBytes / 2 ** 20)} MiB are left.`,
        }),
      );
  }
}

function warning(about: HealthFinding['about'], text: string): HealthFinding {
  return { about, state: 'warning', text };
}

function failed(about: HealthFinding['about'], text: string): HealthFinding {
  return { about, state: 'failed', text };
}
