import type { FastifyInstance } from 'fastify';
import { dotfileHeaders, type RestoredDrift, type TakenDrift } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { formatFileMode } from '../../protocol/fileMode.ts';
import { type HomePath, parseHomePath } from '../../protocol/homePath.ts';
import type { LayerReport } from '../../protocol/layers.ts';
import { routes } from '../../protocol/routes.ts';
import type { RunningBox } from '../boxes/boxes.ts';
import type { Dotfiles } from '../dotfiles/dotfiles.ts';
import { applyAndTell, type ChangeHearers, tellSaved, worstOf } from '../dotfiles/tellChange.ts';
import { requireUser } from '../http/authenticate.ts';
import { clientOf } from '../http/clientOf.ts';
import { addRoute } from '../http/route.ts';
import type { HomeDrifts } from './homeDrifts.ts';
import { layersOf } from './layers.ts';
import type { LiveOverlay } from './liveOverlay.ts';

interface Parts {
  readonly dotfiles: Dotfiles;
  readonly drifts: HomeDrifts;
  readonly overlay: LiveOverlay;
  readonly reachable: (userId: string) => RunningBox | undefined;
  readonly hearers: ChangeHearers;
}

/** What to do about dotfiles that were changed in the home: look, take, restore. */
export function addDriftRoutes(app: FastifyInstance, parts: Parts): void {
  const { dotfiles, drifts, overlay, hearers } = parts;

  addRoute(app, routes.dotfileDrift, async ({ caller }) => {
    const { userId } = requireUser(caller);
    const list = await drifts.list(userId);
    return { ...list, troubles: overlay.troubles(userId) };
  });

  addRoute(app, routes.dotfileLayers, async ({ caller, query }): Promise<LayerReport> => {
    const userId = requireUser(caller).userId;
    const path = parseHomePath(query.path);
    const dotfile = (await dotfiles.list(userId)).dotfiles.find((one) => one.path === path);
    const box = parts.reachable(userId);
    if (box !== undefined) return { path, watching: true, layers: layersOf(dotfile, await box.boxd.layers(path)) };
    if (dotfile === undefined) return { path, watching: false, layers: [] };
    const detail = `Version ${dotfile.version} of the dotfile; what is in the home can be seen while the box runs.`;
    return { path, watching: false, layers: [{ layer: 'overlay', wins: false, detail, version: dotfile.version }] };
  });

  addRoute(app, routes.readHomeDotfile, async ({ caller, query, reply }) => {
    const userId = requireUser(caller).userId;
    const { entry, bytes } = await readHome(parts, userId, parseHomePath(query.path));
    if (entry.kind === 'missing') throw new SpoonError('not-found', 'The home has nothing at that path.');
    if (entry.kind === 'other') throw new SpoonError('not-a-regular-file', 'A device, pipe or socket is there.');
    return reply
      .headers({
        'content-type': 'application/octet-stream',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        [dotfileHeaders.kind]: entry.kind,
        [dotfileHeaders.mode]: formatFileMode(entry.mode),
        [dotfileHeaders.modifiedMs]: String(entry.modifiedMs),
      })
      .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  });

  addRoute(app, routes.takeDrift, async ({ caller, body, request }) => {
    const userId = requireUser(caller).userId;
    const taken = await take(parts, { userId, clientId: clientOf(request) }, parseHomePath(body.path), body.etag);
    request.changedDotfiles = taken.dotfile === null ? [] : [taken.dotfile.id];
    return taken;
  });

  addRoute(app, routes.restoreDrift, async ({ caller, body }): Promise<RestoredDrift> => {
    const userId = requireUser(caller).userId;
    const path = parseHomePath(body.path);
    const isInHome = await drifted(drifts, userId, path);
    const applied = isInHome ? await overlay.writeAgain(userId, path) : undefined;
    if (applied?.state === 'refused') {
      // Nothing has been restored, so an edit that was kept still waits.
      hearers.publish(userId, { type: 'dotfile.applied', path, applied });
      return { applied };
    }
    const keptVersion = await dotfiles.settleDrift(userId, path);
    overlay.decided(userId, path);
    await drifts.refresh(userId);
    return {
      applied: applied?.state === 'conflict' ? { state: 'applied' } : (applied ?? { state: 'applied' }),
      ...(keptVersion === undefined ? {} : { keptVersion }),
    };
  });
}

/** Whether the home itself differs now, and not only a kept edit waits. */
async function drifted(drifts: HomeDrifts, userId: string, path: HomePath): Promise<boolean> {
  const found = (await drifts.list(userId)).drifts.find((drift) => drift.path === path);
  return (
    found !== undefined && (found.home !== undefined || found.state === 'missing' || found.driftVersion === undefined)
  );
}

/** Only of paths in the overlay: this is no way to look around in a home. */
async function readHome({ dotfiles, reachable }: Parts, userId: string, path: HomePath) {
  await dotfiles.history(userId, { path });
  const box = reachable(userId);
  if (box === undefined) throw new SpoonError('box-stopped', 'What is in the home can be seen while it runs.');
  return box.boxd.homeEntry(path);
}

async function take(
  parts: Parts,
  who: { userId: string; clientId: string | null },
  path: HomePath,
  etag: string | undefined,
): Promise<TakenDrift> {
  const { dotfiles, drifts, overlay, hearers } = parts;
  const { userId } = who;
  const found = (await drifts.list(userId)).drifts.find((drift) => drift.path === path);
  if (found === undefined) throw new SpoonError('not-found', 'The home has the dotfile as the overlay wants it.');
  if (!(await drifted(drifts, userId, path))) {
    const saved = await dotfiles.restore(userId, { name: { path }, version: found.driftVersion, etag });
    const taken = await tellSaved(hearers, who, saved);
    await dotfiles.settleDrift(userId, path);
    overlay.decided(userId, path);
    await drifts.refresh(userId);
    return taken;
  }
  const { entry, bytes } = await readHome(parts, userId, path);
  if (entry.kind === 'other') throw new SpoonError('not-a-regular-file', 'A device, pipe or socket is there.');
  if (entry.kind === 'missing') {
    const { removed } = await dotfiles.remove(userId, path, { ifMatch: etag });
    for (const gone of removed)
      hearers.publish(userId, { type: 'dotfile.removed', path: gone.path, clientId: who.clientId });
    const applied = await applyAndTell(hearers, userId, { removed: removed.map((gone) => gone.path) });
    await drifts.refresh(userId);
    return { dotfile: null, applied: worstOf(applied), warnings: [] };
  }
  const current = await dotfiles.readNamed(userId, { path });
  const saved = await dotfiles.save(userId, {
    path,
    kind: entry.kind,
    bytes,
    // As Spoon may write it: an edit is not refused over odd permissions.
    mode: entry.mode | 0o400,
    ifMatch: etag ?? current.etag,
    origin: 'drift',
  });
  const taken = await tellSaved(hearers, who, saved);
  await drifts.refresh(userId);
  return taken;
}
