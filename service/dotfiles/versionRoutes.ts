import type { FastifyInstance } from 'fastify';
import { parseFileMode } from '../../protocol/fileMode.ts';
import { parseHomePath } from '../../protocol/homePath.ts';
import { routes } from '../../protocol/routes.ts';
import { requireUser } from '../http/authenticate.ts';
import { clientOf } from '../http/clientOf.ts';
import { addRoute } from '../http/route.ts';
import type { Dotfiles } from './dotfiles.ts';
import { nameOf, originOf } from './readInput.ts';
import { type ChangeHearers, changedOf, tellSaved } from './tellChange.ts';

/** What can be done with the versions of a dotfile and with removed ones; and with what is beside the bytes. */
export function addVersionRoutes(app: FastifyInstance, dotfiles: Dotfiles, hearers: ChangeHearers): void {
  addRoute(app, routes.dotfileHistory, ({ caller, query }) =>
    dotfiles.history(requireUser(caller).userId, nameOf(query)),
  );

  addRoute(app, routes.forgetDotfileVersions, ({ caller, body }) =>
    dotfiles.forgetVersions(requireUser(caller).userId, parseHomePath(body.path), body.versions),
  );

  addRoute(app, routes.deletedDotfiles, ({ caller }) => dotfiles.deleted(requireUser(caller).userId));

  addRoute(app, routes.restoreDotfile, async ({ caller, body, request }) => {
    const userId = requireUser(caller).userId;
    const { version, etag } = body;
    const saved = await dotfiles.restore(userId, { name: nameOf(body), version, etag });
    request.changedDotfiles = changedOf([saved]);
    return tellSaved(hearers, { userId, clientId: clientOf(request) }, saved);
  });

  addRoute(app, routes.setDotfileMode, async ({ caller, body, request }) => {
    const userId = requireUser(caller).userId;
    const { etag } = body;
    const saved = await dotfiles.setMode(userId, {
      path: parseHomePath(body.path),
      mode: parseFileMode(body.mode),
      etag,
      origin: originOf(body.origin),
    });
    request.changedDotfiles = changedOf([saved]);
    return tellSaved(hearers, { userId, clientId: clientOf(request) }, saved);
  });

  addRoute(app, routes.silenceDotfile, async ({ caller, body, request }) => {
    const userId = requireUser(caller).userId;
    const dotfile = await dotfiles.silence(userId, parseHomePath(body.path), body.silenced);
    hearers.publish(userId, { type: 'dotfile.saved', dotfile, clientId: clientOf(request) });
    return dotfile;
  });
}
