import type { FastifyInstance } from 'fastify';
import { Audit } from './audit/audit.ts';
import { addAuditHooks, addAuditRoutes } from './audit/auditRoutes.ts';
import { addBackupRoutes } from './backup/backupRoutes.ts';
import type { Backups } from './backup/backups.ts';
import { addKeyRoutes } from './keyring/keyRoutes.ts';
import type { Keyring } from './keyring/keyring.ts';
import type { Logger } from './logger.ts';
import type { Store } from './store/database.ts';

export interface KeepingParts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly backups: Backups;
  readonly log: Logger;
}

/** What an operator keeps the service with: who did what, keys, backups. To be added before all other routes. */
export function addKeeping(app: FastifyInstance, { log, backups, ...stored }: KeepingParts): Audit {
  const audit = new Audit({ ...stored, now: Date.now });
  addAuditHooks(app, {
    audit,
    keepHead: (text) => log.info('audit.head', { text }),
    onError: (error) => log.failure('audit', error),
  });
  addAuditRoutes(app, { audit });
  addKeyRoutes(app, stored);
  addBackupRoutes(app, backups);
  return audit;
}
