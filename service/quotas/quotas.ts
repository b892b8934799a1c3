import { maxDotfilesPerUser, maxTerminalsPerUser } from '../../protocol/limits.ts';
import { type Limits, type QuotaChange, type QuotaName, quotaNames } from '../../protocol/quotas.ts';
import type { BoxSpec } from '../boxes/engine.ts';
import { InTurn } from '../boxes/inTurn.ts';
import type { Store } from '../store/database.ts';
import type { UserQuotaRow } from '../store/tables.ts';

/** What one box may use, of who has no limits of the own. */
export const boxLimits = { memoryBytes: 2 * 2 ** 30, cpus: 2, maxProcesses: 512 };
export type BoxLimits = Pick<BoxSpec, 'memoryBytes' | 'cpus' | 'maxProcesses'>;

type OwnLimits = { readonly [K in QuotaName]: number | null };

const none: OwnLimits = {
  memoryBytes: null,
  cpus: null,
  processes: null,
  terminals: null,
  dotfiles: null,
  dotfileBytes: null,
  homeBytes: null,
};
const millisPerCpu = 1000;

/** What each user may use. Kept in memory: each save and each start asks. Stored is only what is not as for everybody. */
export class Quotas {
  readonly #store: Store;
  readonly #forAll: Limits;
  readonly #own: Map<string, OwnLimits>;
  /** Of two changes that come to the disk together either may go on first, and memory must end with the later one. */
  readonly #turns = new InTurn();

  private constructor(store: Store, own: Map<string, OwnLimits>) {
    this.#store = store;
    this.#own = own;
    const { maxProcesses, ...box } = boxLimits;
    this.#forAll = {
      ...box,
      processes: maxProcesses,
      terminals: maxTerminalsPerUser,
      dotfiles: maxDotfilesPerUser,
      dotfileBytes: null,
      homeBytes: null,
    };
  }

  static async open(store: Store): Promise<Quotas> {
    const rows = await store.db.selectFrom('user_quotas').selectAll().execute();
    return new Quotas(store, new Map(rows.map((row) => [row.user_id, ofRow(row)])));
  }

  limitsOf(userId: string): Limits {
    const own = this.#own.get(userId) ?? none;
    const { memoryBytes, cpus, processes, terminals, dotfiles } = this.#forAll;
    return {
      memoryBytes: own.memoryBytes ?? memoryBytes,
      cpus: own.cpus ?? cpus,
      processes: own.processes ?? processes,
      terminals: own.terminals ?? terminals,
      dotfiles: own.dotfiles ?? dotfiles,
      dotfileBytes: own.dotfileBytes,
      homeBytes: own.homeBytes,
    };
  }

  boxLimitsOf(userId: string): BoxLimits {
    const { memoryBytes, cpus, processes } = this.limitsOf(userId);
    return { memoryBytes, cpus, maxProcesses: processes };
  }

  /** Which limits the user does not share with everybody. */
  ownOf(userId: string): QuotaName[] {
    const own = this.#own.get(userId) ?? none;
    return quotaNames.filter((name) => own[name] !== null);
  }

  change(userId: string, change: QuotaChange): Promise<void> {
    return this.#turns.run(userId, async () => {
      // From what is stored: two administrators may change two limits at once.
      const changed = await this.#store.transaction(async (trx) => {
        const row = await trx.selectFrom('user_quotas').selectAll().where('user_id', '=', userId).executeTakeFirst();
        const own = ofRow(row === undefined ? toRow(userId, none) : row);
        const next = toRow(userId, { ...own, ...change });
        await trx
          .insertInto('user_quotas')
          .values(next)
          .onConflict((conflict) => conflict.column('user_id').doUpdateSet(next))
          .execute();
        return ofRow(next);
      });
      this.#own.set(userId, changed);
    });
  }
}

function ofRow(row: UserQuotaRow): OwnLimits {
  return {
    memoryBytes: row.memory_bytes,
    cpus: row.cpu_millis === null ? null : row.cpu_millis / millisPerCpu,
    processes: row.processes,
    terminals: row.terminals,
    dotfiles: row.dotfiles,
    dotfileBytes: row.dotfile_bytes,
    homeBytes: row.home_bytes,
  };
}

function toRow(userId: string, own: OwnLimits): UserQuotaRow {
  return {
    user_id: userId,
    memory_bytes: own.memoryBytes,
    cpu_millis: own.cpus === null ? null : Math.round(own.cpus * millisPerCpu),
    processes: own.processes,
    terminals: own.terminals,
    dotfiles: own.dotfiles,
    dotfile_bytes: own.dotfileBytes,
    home_bytes: own.homeBytes,
  };
}
