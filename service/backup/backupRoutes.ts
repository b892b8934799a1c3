import type { FastifyInstance } from 'fastify';
import { routes } from '../../protocol/routes.ts';
import { addRoute } from '../http/route.ts';
import type { Backups } from './backups.ts';

/** `/v1/admin/backups` */
export function addBackupRoutes(app: FastifyInstance, backups: Backups): void {
  addRoute(app, routes.adminCreateBackup, async ({ reply }) => {
    const { bytes, content } = await backups.create();
    return reply
      .headers({
        'content-type': 'application/octet-stream',
        'content-length': bytes,
        'content-disposition': 'attachment; filename="spoon.backup"',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      .send(content);
  });
}
