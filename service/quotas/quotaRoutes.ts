import type { FastifyInstance } from 'fastify';
import { SpoonError } from '../../protocol/errors.ts';
import type { Usage, UserQuota } from '../../protocol/quotas.ts';
import { routes } from '../../protocol/routes.ts';
import type { Boxes } from '../boxes/boxes.ts';
import { addRoute } from '../http/route.ts';
import type { Account, Users } from '../identity/users.ts';
import type { Store } from '../store/database.ts';
import type { HomeSizes } from './homeSizes.ts';
import type { Quotas } from './quotas.ts';
import { readStoredUsage } from './storedUsage.ts';

export interface QuotaRouteParts {
  readonly store: Store;
  readonly users: Users;
  readonly quotas: Quotas;
  readonly homeSizes: HomeSizes;
  readonly boxes: Pick<Boxes, 'running' | 'load' | 'limitsChanged'>;
}

/** Homes that are counted at once: each count keeps a disk busy. */
const countedAtOnce = 4;

/** `/v1/admin/usage`, `/v1/admin/users/{username}/quota` */
export function addQuotaRoutes(app: FastifyInstance, parts: QuotaRouteParts): void {
  const { users, quotas, boxes } = parts;

  const find = async (username = ''): Promise<Account> => {
    const account = await users.byName(username);
    if (account === undefined) throw new SpoonError('not-found');
    return account;
  };

  addRoute(app, routes.adminUsage, async () => {
    const waiting = await users.list();
    const storedOf = await readStoredUsage(parts.store);
    const described: UserQuota[] = [];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
        described.push(await describe(parts, next, storedOf(next.id)));
    };
    await Promise.all(Array.from({ length: countedAtOnce }, work));
    described.sort((a, b) => (a.username < b.username ? -1 : 1));
    return { users: described, total: totalOf(described.map(({ usage }) => usage)) };
  });
  addRoute(app, routes.adminUserQuota, async ({ params }) => {
    const account = await find(params.username);
    return describe(parts, account, (await readStoredUsage(parts.store))(account.id));
  });
  addRoute(app, routes.adminSetUserQuota, async ({ params, body }) => {
    const account = await find(params.username);
    await quotas.change(account.id, body);
    boxes.limitsChanged(account.id);
    return describe(parts, account, (await readStoredUsage(parts.store))(account.id));
  });
}

async function describe(
  { quotas, homeSizes, boxes }: QuotaRouteParts,
  { id, username }: Account,
  stored: Pick<Usage, 'dotfiles' | 'dotfileBytes' | 'storedBytes'>,
): Promise<UserQuota> {
  const box = boxes.running(id);
  // A box that does not answer, or is ending just now, leaves the rest as it is.
  const unless = <T>(asked: Promise<T>): Promise<T | undefined> => asked.catch(() => undefined);
  const asks = box !== undefined && !box.pulse.isSilent;
  const [load, terminals] = await Promise.all([
    boxes.load(id),
    asks ? unless(box.boxd.terminals()) : undefined,
    asks ? unless(homeSizes.count(box)) : undefined,
  ]);
  return {
    username,
    limits: quotas.limitsOf(id),
    own: quotas.ownOf(id),
    usage: {
      cpuPercent: load?.cpuPercent ?? null,
      memoryBytes: load?.memoryBytes ?? null,
      processes: load?.processes ?? null,
      terminals: terminals?.terminals.length ?? null,
      ...stored,
      homeBytes: homeSizes.bytesOf(id) ?? null,
    },
  };
}

/** What is known of any of them. */
function totalOf(usages: readonly Usage[]): Usage {
  const sum = (name: keyof Usage): number => usages.reduce((total, usage) => total + (usage[name] ?? 0), 0);
  const sumOfKnown = (name: keyof Usage): number | null =>
    usages.every((usage) => usage[name] === null) ? null : sum(name);
  return {
    cpuPercent: sumOfKnown('cpuPercent'),
    memoryBytes: sumOfKnown('memoryBytes'),
    processes: sumOfKnown('processes'),
    terminals: sumOfKnown('terminals'),
    dotfiles: sum('dotfiles'),
    dotfileBytes: sum('dotfileBytes'),
    storedBytes: sum('storedBytes'),
    homeBytes: sumOfKnown('homeBytes'),
  };
}
