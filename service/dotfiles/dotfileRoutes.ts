import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Check } from 'typebox/value';
import { type Applied, DotfileKind, dotfileHeaders, VersionOrigin } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import { formatFileMode, parseFileMode } from '../../protocol/fileMode.ts';
import { type HomePath, parseHomePath } from '../../protocol/homePath.ts';
import { routes } from '../../protocol/routes.ts';
import { requireUser } from '../http/authenticate.ts';
import { clientOf } from '../http/clientOf.ts';
import { addRoute } from '../http/route.ts';
import type { Dotfiles } from './dotfiles.ts';

/** The door of dotfiles: HTTP in and out, the home told after the commit, other windows after that. No rule lives here. */

export interface DotfileChange {
  readonly saved?: HomePath[];
  readonly removed?: HomePath[];
}

interface Parts {
  readonly dotfiles: Dotfiles;
  /** Brings a committed change to the user's running box; by path what became of it. Does not reject for a box's sake. */
  readonly apply: (userId: string, change: DotfileChange) => Promise<Map<string, Applied>>;
  readonly publish: (userId: string, event: SpoonEvent) => void;
}

/** Worst first: one answer for a folder is that of its worst file. */
const byImportance: readonly Applied['state'][] = ['refused', 'conflict', 'pending', 'applied', 'boxOff'];
const bytesHeaders = {
  'content-type': 'application/octet-stream',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
} as const;

export function addDotfileRoutes(app: FastifyInstance, { dotfiles, apply, publish }: Parts): void {
  addRoute(app, routes.listDotfiles, ({ caller }) => dotfiles.list(requireUser(caller).userId));

  addRoute(app, routes.readDotfile, async ({ caller, query, reply }) => {
    const found = await dotfiles.read(requireUser(caller).userId, parseHomePath(query.path), query.version);
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
    const path = parseHomePath(query.path);
    const { dotfile, warnings, changed } = await dotfiles.save(userId, {
      path,
      kind: kindOf(query.kind),
      bytes: body,
      mode: query.mode === undefined ? undefined : parseFileMode(query.mode),
      ifMatch: headerOf(request, 'if-match'),
      ifNoneMatch: headerOf(request, 'if-none-match'),
      origin: originOf(query.origin),
    });
    if (changed) publish(userId, { type: 'dotfile.saved', dotfile, clientId: clientOf(request) });
    const applied = await applyAndTell(userId, { saved: [path] });
    return { dotfile, applied: worstOf(applied), warnings };
  });

  addRoute(app, routes.removeDotfile, async ({ caller, query, request }) => {
    const userId = requireUser(caller).userId;
    const { removed } = await dotfiles.remove(userId, parseHomePath(query.path), {
      recursive: query.recursive,
      ifMatch: headerOf(request, 'if-match'),
    });
    const clientId = clientOf(request);
    for (const path of removed) publish(userId, { type: 'dotfile.removed', path, clientId });
    return { removed: removed.length, applied: worstOf(await applyAndTell(userId, { removed })) };
  });

  addRoute(app, routes.moveDotfile, async ({ caller, body, request }) => {
    const userId = requireUser(caller).userId;
    const { moved, replaced } = await dotfiles.move(userId, {
      from: parseHomePath(body.from),
      to: parseHomePath(body.to),
      overwrite: body.overwrite ?? false,
    });
    const clientId = clientOf(request);
    const saved = moved.map(({ dotfile }) => dotfile.path as HomePath);
    const gone = replaced.filter((path) => !saved.includes(path));
    for (const path of gone) publish(userId, { type: 'dotfile.removed', path, clientId });
    for (const { from, dotfile } of moved) publish(userId, { type: 'dotfile.moved', from, dotfile, clientId });
    const applied = await applyAndTell(userId, { saved, removed: [...moved.map(({ from }) => from), ...gone] });
    return { dotfiles: moved.map(({ dotfile }) => dotfile), applied: worstOf(applied) };
  });

  addRoute(app, routes.dotfileHistory, ({ caller, query }) =>
    dotfiles.history(requireUser(caller).userId, parseHomePath(query.path)),
  );

  async function applyAndTell(userId: string, change: DotfileChange): Promise<Map<string, Applied>> {
    const applied = await apply(userId, change);
    for (const [path, result] of applied) {
      if (result.state !== 'boxOff') publish(userId, { type: 'dotfile.applied', path, applied: result });
    }
    return applied;
  }
}

function headerOf(request: FastifyRequest, name: 'if-match' | 'if-none-match'): string | undefined {
  return request.headers[name];
}

function kindOf(text = 'file'): DotfileKind {
  if (!Check(DotfileKind, text)) throw new SpoonError('request-invalid', 'kind is file, symlink or directory.');
  return text;
}

/** `drift` is what the service finds, not what somebody claims. */
function originOf(text = 'api'): VersionOrigin {
  if (!Check(VersionOrigin, text) || text === 'drift') {
    throw new SpoonError('request-invalid', 'origin is editor, spoonctl, import, restore or api.');
  }
  return text;
}

/** Nothing to apply counts as applied. */
function worstOf(applied: ReadonlyMap<string, Applied>): Applied {
  const all = [...applied.values()];
  const worst = byImportance.map((state) => all.find((one) => one.state === state)).find((one) => one !== undefined);
  return worst ?? { state: 'applied' };
}
