import type { FastifyInstance } from 'fastify';
import { SpoonError } from '../../protocol/errors.ts';
import { checkFilePath } from '../../protocol/filePath.ts';
import { routes } from '../../protocol/routes.ts';
import type { BoxdClient } from '../boxes/boxdClient.ts';
import type { BoxdFiles, WriteBase } from '../boxes/boxdFiles.ts';
import type { Boxes } from '../boxes/boxes.ts';
import { requireUser } from '../http/authenticate.ts';
import { clientGone } from '../http/clientGone.ts';
import { addRoute, type Caller } from '../http/route.ts';

const versionPattern = /^"([0-9a-z-]{1,128})"$/;

/**
 * `/v1/files`: the files of a running box, passed on to its boxd. Nothing here starts a box: an editor asks all by itself
 * when a window comes back, and that must not wake a box that was stopped.
 */
export function addFileRoutes(app: FastifyInstance, { boxes }: { boxes: Pick<Boxes, 'running'> }): void {
  const filesOf = (caller: Caller): BoxdFiles => requireRunning(boxes, requireUser(caller).userId).files;

  addRoute(app, routes.statFile, ({ caller, query, reply }) =>
    filesOf(caller).stat(checkFilePath(query.path), clientGone(reply)),
  );
  addRoute(app, routes.listFolder, ({ caller, query, reply }) =>
    filesOf(caller).list(checkFilePath(query.path), clientGone(reply)),
  );
  addRoute(app, routes.readFile, async ({ caller, query, reply }) => {
    const { stat, bytes } = await filesOf(caller).read(checkFilePath(query.path), clientGone(reply));
    return reply
      .headers({
        'content-type': 'application/octet-stream',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        etag: `"${stat.version}"`,
      })
      .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  });
  addRoute(app, routes.writeFile, ({ caller, query, body, request }) => {
    const base = baseOf(request.headers['if-match'], request.headers['if-none-match']);
    // Not cancelled with its client: a save that has begun is finished.
    return filesOf(caller).write(checkFilePath(query.path), body, base);
  });
  addRoute(app, routes.createFolder, ({ caller, body }) => filesOf(caller).createFolder(checkFilePath(body.path)));
  addRoute(app, routes.moveFile, ({ caller, body }) =>
    filesOf(caller).moveOrCopy('move', { ...body, from: checkFilePath(body.from), to: checkFilePath(body.to) }),
  );
  addRoute(app, routes.copyFile, ({ caller, body }) =>
    filesOf(caller).moveOrCopy('copy', { ...body, from: checkFilePath(body.from), to: checkFilePath(body.to) }),
  );
  addRoute(app, routes.removeFile, async ({ caller, query }) => {
    await filesOf(caller).remove(checkFilePath(query.path), query.recursive ?? false);
    return undefined;
  });
}

/** @throws SpoonError `box-stopped` */
export function requireRunning(boxes: Pick<Boxes, 'running'>, userId: string): BoxdClient {
  const box = boxes.running(userId);
  if (box === undefined)
    throw new SpoonError('box-stopped', 'Your files are safe in the home. Start the box to reach them.');
  return box.boxd;
}

/** Which version the save is based on. @throws SpoonError `version-required`, `etag-invalid` */
function baseOf(ifMatch: string | undefined, ifNoneMatch: string | undefined): WriteBase {
  if (ifMatch === undefined) {
    if (ifNoneMatch === undefined) throw new SpoonError('version-required');
    if (ifNoneMatch !== '*') throw new SpoonError('etag-invalid', 'If-None-Match takes * only.');
    return 'create';
  }
  const version = versionPattern.exec(ifMatch)?.[1];
  if (version === undefined || ifNoneMatch !== undefined) throw new SpoonError('etag-invalid');
  return { version };
}
