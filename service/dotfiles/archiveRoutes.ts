import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { Check } from 'typebox/value';
import { type ImportResult, OnExisting } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import { maxNamedFiles } from '../../protocol/limits.ts';
import { routes } from '../../protocol/routes.ts';
import { findSecrets } from '../../protocol/secretRules.ts';
import { requireUser } from '../http/authenticate.ts';
import { clientOf } from '../http/clientOf.ts';
import { addRoute } from '../http/route.ts';
import type { Dotfiles } from './dotfiles.ts';
import { type ArchivedFile, readArchive } from './readArchive.ts';
import { applyAndTell, type ChangeHearers, changedOf, worstOf } from './tellChange.ts';
import { writeArchive } from './writeArchive.ts';

/** All dotfiles out as one archive, and any archive in, wholly or not at all. */
export function addArchiveRoutes(app: FastifyInstance, dotfiles: Dotfiles, hearers: ChangeHearers): void {
  /** One at a time for each user: an archive is in memory until all of it is known to be good. */
  const importing = new Set<string>();

  addRoute(app, routes.exportDotfiles, async ({ caller, reply }) => {
    const userId = requireUser(caller).userId;
    const list = (await dotfiles.list(userId)).dotfiles;
    const read = async (path: HomePath) => {
      for await (const { bytes } of dotfiles.contents(userId, [path])) return bytes;
      return undefined;
    };
    const archive = writeArchive(list, ({ path }) => read(path as HomePath));
    return reply
      .headers({
        'content-type': 'application/x-tar',
        'content-disposition': 'attachment; filename="dotfiles.tar"',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      .send(Readable.from(archive, { objectMode: false }));
  });

  addRoute(app, routes.importDotfiles, async ({ caller, query, body, request }): Promise<ImportResult> => {
    const userId = requireUser(caller).userId;
    const existing = existingOf(query.existing);
    if (importing.has(userId)) throw new SpoonError('too-many-requests', 'Another import of yours is under way.');
    importing.add(userId);
    try {
      const { files, ignored } = await readArchive(body);
      const { saved, kept } = await dotfiles.saveAll(userId, { files, existing });
      const changed = saved.filter((one) => one.changed);
      request.changedDotfiles = changedOf(saved);
      const clientId = clientOf(request);
      for (const { dotfile } of changed) hearers.publish(userId, { type: 'dotfile.saved', dotfile, clientId });
      const paths = changed.map(({ dotfile }) => dotfile.path as HomePath);
      const applied = paths.length === 0 ? new Map() : await applyAndTell(hearers, userId, { saved: paths });
      return {
        saved: changed.length,
        unchanged: saved.length - changed.length,
        kept: kept.slice(0, maxNamedFiles),
        ignored: ignored.slice(0, maxNamedFiles),
        secrets: files.flatMap(secretsIn).slice(0, maxNamedFiles),
        applied: worstOf(applied),
      };
    } finally {
      importing.delete(userId);
    }
  });
}

function existingOf(text = 'refuse'): OnExisting {
  if (!Check(OnExisting, text)) throw new SpoonError('request-invalid', 'existing is refuse, keep or replace.');
  return text;
}

/** One for each file is enough to look at it. */
function secretsIn({ path, kind, bytes }: ArchivedFile): ImportResult['secrets'] {
  if (kind !== 'file') return [];
  const [first] = findSecrets(path, bytes);
  return first === undefined ? [] : [{ path, what: first.what, line: first.line }];
}
