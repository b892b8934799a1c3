import type { FastifyInstance, FastifyRequest } from 'fastify';
import { dotfileHeaders } from '../../protocol/dotfiles.ts';
import { formatFileMode, parseFileMode } from '../../protocol/fileMode.ts';
import { type HomePath, parseHomePath } from '../../protocol/homePath.ts';
import { routes } from '../../protocol/routes.ts';
import { requireUser } from '../http/authenticate.ts';
import { clientOf } from '../http/clientOf.ts';
import { addRoute } from '../http/route.ts';
import { addArchiveRoutes } from './archiveRoutes.ts';
import { addBatchRoutes } from './batchRoutes.ts';
import type { Dotfiles } from './dotfiles.ts';
import { kindOf, nameOf, originOf } from './readInput.ts';
import { applyAndTell, type ChangeHearers, changedOf, tellSaved, worstOf } from './tellChange.ts';
import { addVersionRoutes } from './versionRoutes.ts';

/** The door of dotfiles: HTTP in and out, the home told after the commit, other windows after that. No rule lives here. */

const bytesHeaders = {
  'content-type': 'application/octet-stream',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
} as const;

export function addDotfileRoutes(
  app: FastifyInstance,
  { dotfiles, ...hearers }: ChangeHearers & { readonly dotfiles: Dotfiles },
): void {
  const { publish } = hearers;
  addVersionRoutes(app, dotfiles, hearers);
  addBatchRoutes(app, dotfiles, hearers);
  addArchiveRoutes(app, dotfiles, hearers);

  addRoute(app, routes.listDotfiles, async ({ caller, reply }) => {
    const bytes = await dotfiles.listBytes(requireUser(caller).userId);
    return reply.type('application/json; charset=utf-8').send(bytes);
  });

  addRoute(app, routes.readDotfile, async ({ caller, query, reply }) => {
    const found = await dotfiles.readNamed(requireUser(caller).userId, nameOf(query), query.version);
    return reply
      .headers({
        ...bytesHeaders,
        etag: found.etag,
        [dotfileHeaders.kind]: found.kind,
        [dotfileHeaders.mode]: formatFileMode(found.mode),
        [dotfileHeaders.version]: String(found.version),
        [dotfileHeaders.modifiedMs]: String(found.modifiedMs),
      })
      .send(Buffer.from(found.bytes.buffer, found.bytes.byteOffset, found.bytes.byteLength));
  });

  addRoute(app, routes.saveDotfile, async ({ caller, query, body, request }) => {
    const userId = requireUser(caller).userId;
    const saved = await dotfiles.save(userId, {
      path: parseHomePath(query.path),
      kind: kindOf(query.kind),
      bytes: body,
      mode: query.mode === undefined ? undefined : parseFileMode(query.mode),
      ifMatch: headerOf(request, 'if-match'),
      ifNoneMatch: headerOf(request, 'if-none-match'),
      origin: originOf(query.origin),
    });
    request.changedDotfiles = changedOf([saved]);
    return tellSaved(hearers, { userId, clientId: clientOf(request) }, saved);
  });

  addRoute(app, routes.removeDotfile, async ({ caller, query, request }) => {
    const userId = requireUser(caller).userId;
    const { removed } = await dotfiles.remove(userId, parseHomePath(query.path), {
      recursive: query.recursive,
      ifMatch: headerOf(request, 'if-match'),
    });
    request.changedDotfiles = removed.flatMap(({ id }) => id ?? []);
    const clientId = clientOf(request);
    for (const { path } of removed) publish(userId, { type: 'dotfile.removed', path, clientId });
    const applied = await applyAndTell(hearers, userId, { removed: removed.map(({ path }) => path) });
    return {
      removed: removed.length,
      dotfiles: removed.flatMap(({ id, path }) => (id === undefined ? [] : [{ id, path }])),
      applied: worstOf(applied),
    };
  });

  addRoute(app, routes.moveDotfile, async ({ caller, body, request }) => {
    const userId = requireUser(caller).userId;
    const { moved, replaced } = await dotfiles.move(userId, {
      from: parseHomePath(body.from),
      to: parseHomePath(body.to),
      overwrite: body.overwrite ?? false,
    });
    request.changedDotfiles = moved.map(({ dotfile }) => dotfile.id);
    const clientId = clientOf(request);
    const saved = moved.map(({ dotfile }) => dotfile.path as HomePath);
    const gone = replaced.filter((path) => !saved.includes(path));
    for (const path of gone) publish(userId, { type: 'dotfile.removed', path, clientId });
    for (const { from, dotfile } of moved) publish(userId, { type: 'dotfile.moved', from, dotfile, clientId });
    const applied = await applyAndTell(hearers, userId, {
      saved,
      removed: [...moved.map(({ from }) => from), ...gone],
    });
    return { dotfiles: moved.map(({ dotfile }) => dotfile), applied: worstOf(applied) };
  });
}

function headerOf(request: FastifyRequest, name: 'if-match' | 'if-none-match'): string | undefined {
  return request.headers[name];
}
