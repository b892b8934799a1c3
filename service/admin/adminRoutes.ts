import type { FastifyInstance } from 'fastify';
import type { DiskSpace, HealthFinding } from '../../protocol/admin.ts';
import type { Health } from '../../protocol/boxes.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { routes } from '../../protocol/routes.ts';
import type { Boxes, BoxUser } from '../boxes/boxes.ts';
import { addRoute } from '../http/route.ts';
import { toUser } from '../identity/identityRoutes.ts';
import type { Account, Users } from '../identity/users.ts';
import type { HomeSizes } from '../quotas/homeSizes.ts';
import { addQuotaRoutes } from '../quotas/quotaRoutes.ts';
import type { Quotas } from '../quotas/quotas.ts';
import type { Store } from '../store/database.ts';
import { type AdminPage, addAdminPageRoutes } from './adminPageRoutes.ts';
import { toSummary } from './boxSummary.ts';
import { readUserFacts } from './userFacts.ts';

export interface AdminRouteParts {
  readonly store: Store;
  readonly users: Users;
  readonly quotas: Quotas;
  readonly homeSizes: HomeSizes;
  readonly boxes: Pick<Boxes, 'describe' | 'load' | 'stop' | 'stateOf' | 'running' | 'limitsChanged'>;
  readonly boxUser: (account: Account) => BoxUser;
  /** A test of a setup in a throw-away box. */
  readonly endScratch: (userId: string) => Promise<void>;
  /** With its reasons in full. */
  readonly health: () => Promise<Health>;
  readonly findings: () => Promise<readonly HealthFinding[]>;
  readonly disks: () => Promise<DiskSpace[]>;
  readonly lastBackupMs: () => Promise<number | null>;
  readonly adminPage: AdminPage;
}

/** What administrators see of the whole service: no route here opens anything that is sealed with a user's key but names. */
export function addAdminRoutes(app: FastifyInstance, parts: AdminRouteParts): void {
  const { store, users, boxes, boxUser } = parts;
  const startedMs = Date.now();

  addAdminPageRoutes(app, parts.adminPage);

  addRoute(app, routes.adminStatus, async () => ({
    health: await parts.health(),
    startedMs,
    disks: await parts.disks(),
    findings: [...(await parts.findings())],
    lastBackupMs: await parts.lastBackupMs(),
  }));
  addRoute(app, routes.adminListUsers, async () => {
    const [accounts, factsOf] = await Promise.all([users.list(), readUserFacts(store)]);
    return {
      users: accounts.map((account) => ({
        ...toUser(account),
        admin: account.admin,
        box: boxes.stateOf(account.id),
        ...factsOf(account.id),
      })),
    };
  });
  addRoute(app, routes.adminListBoxes, async () => {
    const all = (await users.list()).map(boxUser);
    return {
      boxes: await Promise.all(
        all.map(async (user) => toSummary(await boxes.describe(user), await boxes.load(user.userId))),
      ),
    };
  });
  addRoute(app, routes.adminStopBox, async ({ params }) => {
    const account = await users.byName(params.username ?? '');
    if (account === undefined) throw new SpoonError('not-found');
    await Promise.all([boxes.stop(account.id), parts.endScratch(account.id)]);
    return toSummary(await boxes.describe(boxUser(account)));
  });
  addQuotaRoutes(app, parts);
}
