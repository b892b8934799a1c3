import type { FastifyInstance } from 'fastify';
import { SpoonError } from '../protocol/errors.ts';
import { addAuditHooks, addAuditRoutes } from './audit/auditRoutes.ts';
import type { AuditTrail } from './auditTrail.ts';
import { addBackupRoutes } from './backup/backupRoutes.ts';
import type { Backups } from './backup/backups.ts';
import { TokenAddresses } from './identity/tokenAddresses.ts';
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
  readonly trail: AuditTrail;
  readonly log: Logger;
}

/** What an operator keeps the service with: who did what, keys, backups. To be added before all other routes. */
export function addKeeping(app: FastifyInstance, parts: KeepingParts): void {
  const { log, users, sealedValues, trail } = parts;
  const addresses = new TokenAddresses({ store: parts.store, keyring: parts.keyring, now: Date.now });
  const { audit, onError, fromAnybody, fromWithin, ofUsers, gathered } = trail;
  addAuditHooks(app, {
    ...{ audit, onError, fromAnybody, fromWithin, ofUsers, gathered },
    tokenUsed: (tokenId, network, tell) => addresses.note(tokenId, network, tell),
    keepHead: (text) => log.info('audit.head', { text }),
  });
  addAuditRoutes(app, trail);
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
}
