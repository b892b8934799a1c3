import type { FastifyInstance } from 'fastify';
import { SpoonError } from '../protocol/errors.ts';
import { Audit } from './audit/audit.ts';
import { addAuditHooks, addAuditRoutes } from './audit/auditRoutes.ts';
import { addBackupRoutes } from './backup/backupRoutes.ts';
import type { Backups } from './backup/backups.ts';
import type { Users } from './identity/users.ts';
import { addKeyRoutes } from './keyring/keyRoutes.ts';
import type { Keyring } from './keyring/keyring.ts';
import type { DataKeyRotations } from './keyring/rotateData.ts';
import type { Logger } from './logger.ts';
import type { SealedValues } from './secrets/sealedValues.ts';
import type { Store } from './store/database.ts';

export interface KeepingParts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly backups: Backups;
  readonly rotations: DataKeyRotations;
  readonly users: Users;
  readonly sealedValues: SealedValues;
  readonly log: Logger;
}

/** What an operator keeps the service with: who did what, keys, backups. To be added before all other routes. */
export function addKeeping(app: FastifyInstance, parts: KeepingParts): Audit {
  const { log, users, sealedValues } = parts;
  const audit = new Audit({ store: parts.store, keyring: parts.keyring, now: Date.now });
  addAuditHooks(app, {
    audit,
    keepHead: (text) => log.info('audit.head', { text }),
    onError: (error) => log.failure('audit', error),
  });
  addAuditRoutes(app, { audit });
  addKeyRoutes(app, {
    ...parts,
    userIds: async (username) => {
      if (username === undefined) return (await users.list()).map(({ id }) => id);
      const user = await users.byName(username);
      if (user === undefined) throw new SpoonError('not-found');
      return [user.id];
    },
    renewSealKey: (userId, olderThanMs) => sealedValues.renewKey(userId, olderThanMs),
  });
  addBackupRoutes(app, parts.backups);
  return audit;
}
