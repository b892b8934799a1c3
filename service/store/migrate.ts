import type { Kysely, Transaction } from 'kysely';
import { SpoonError } from '../../protocol/errors.ts';
import { first } from './migrations/0001_first.ts';
import { drift } from './migrations/0002_drift.ts';
import { threads } from './migrations/0003_threads.ts';
import { sealedValues } from './migrations/0004_sealed_values.ts';
import { pins } from './migrations/0005_pins.ts';
import { environments } from './migrations/0006_environments.ts';
import { secrets } from './migrations/0007_secrets.ts';
import { formerUsers } from './migrations/0008_former_users.ts';
import { jobs } from './migrations/0009_jobs.ts';
import { signIn } from './migrations/0010_sign_in.ts';
import { audit } from './migrations/0011_audit.ts';
import { macKeys } from './migrations/0015_mac_keys.ts';
import { administrators } from './migrations/0019_administrators.ts';
import { terminalShares } from './migrations/0020_terminal_shares.ts';
import { oidcIdentities } from './migrations/0021_oidc_identities.ts';
import { quotas } from './migrations/0022_quotas.ts';
import { auditKeeping } from './migrations/0023_audit_keeping.ts';
import type { Tables } from './tables.ts';

export interface Migration {
  /** Ascending; never changed once released, never undone. */
  readonly number: number;
  readonly name: string;
  up(trx: Transaction<Tables>): Promise<void>;
}

export const migrations: readonly Migration[] = [
  first,
  drift,
  threads,
  sealedValues,
  pins,
  environments,
  secrets,
  formerUsers,
  jobs,
  signIn,
  audit,
  macKeys,
  administrators,
  terminalShares,
  oidcIdentities,
  quotas,
  auditKeeping,
];

/** @throws SpoonError `schema-newer` */
export function refuseNewerSchema(found: number, known: readonly Migration[] = migrations): void {
  const newest = known.at(-1)?.number ?? 0;
  if (found > newest) {
    throw new SpoonError(
      'schema-newer',
      `It has schema ${found}, this Spoon knows up to ${newest}. Nothing was changed. Start the newer Spoon again.`,
    );
  }
}

async function appliedTo(db: Kysely<Tables>): Promise<ReadonlySet<number>> {
  const tables = await db.introspection.getTables();
  if (!tables.some(({ name }) => name === 'migrations')) return new Set();
  const rows = await db.selectFrom('migrations').select('number').execute();
  return new Set(rows.map(({ number }) => number));
}

/**
 * Brings the schema up to date, forward only. Each migration is one transaction together with its row in `migrations`: a
 * crash leaves the schema before or after it.
 * @param transact runs one serialised transaction
 * @returns how many ran
 * @throws SpoonError `schema-newer`
 */
export async function migrate(
  db: Kysely<Tables>,
  transact: <T>(work: (trx: Transaction<Tables>) => Promise<T>) => Promise<T>,
  known: readonly Migration[] = migrations,
): Promise<number> {
  const applied = await appliedTo(db);
  refuseNewerSchema(Math.max(0, ...applied), known);
  // Not only those after the newest: two that were made side by side may come in either order.
  const missing = known.filter(({ number }) => !applied.has(number));
  for (const migration of missing) {
    await transact(async (trx) => {
      await migration.up(trx);
      await trx
        .insertInto('migrations')
        .values({ number: migration.number, name: migration.name, applied_ms: Date.now() })
        .execute();
    });
  }
  return missing.length;
}
