import { Type } from 'typebox';
import { Check } from 'typebox/value';
import { type AuditTrail, byService } from './auditTrail.ts';
import { type Keyring, systemOwnerId } from './keyring/keyring.ts';
import type { Store } from './store/database.ts';

const factName = 'settings';
const Marks = Type.Record(Type.String(), Type.String());

/**
 * Writes down which settings are others than at the last start, by name and without their values. A start does not fail for it:
 * on a full disk it is written down by the first that finds room.
 */
export async function noteSettings(
  trail: AuditTrail,
  { store, keyring, given }: { store: Store; keyring: Keyring; given: Readonly<Record<string, string>> },
): Promise<void> {
  try {
    const before = await read(store);
    const now = await marksOf(keyring, given);
    const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
    const changed = names.filter((name) => before[name] !== now[name]);
    if (changed.length === 0) return;
    await trail.audit.record(byService('config.change', null, { settings: changed.join(' ') }));
    const value = JSON.stringify(now);
    await store.transaction((trx) =>
      trx
        .insertInto('facts')
        .values({ name: factName, value })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
        .execute(),
    );
  } catch (error) {
    trail.onError(error);
  }
}

async function read(store: Store): Promise<Readonly<Record<string, string>>> {
  const fact = await store.db.selectFrom('facts').select('value').where('name', '=', factName).executeTakeFirst();
  if (fact === undefined) return {};
  try {
    const marks: unknown = JSON.parse(fact.value);
    return Check(Marks, marks) ? marks : {};
  } catch {
    // Somebody wrote into the database: then all of them count as changed.
    return {};
  }
}

/** Keyed: a value of a few letters is not to be guessed from it. */
async function marksOf(keyring: Keyring, given: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const marks: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    const mac = await keyring.mac(systemOwnerId, 'setting', Buffer.from(`${name}=${value}`));
    marks[name] = Buffer.from(mac).toString('hex').slice(0, 16);
  }
  return marks;
}
