import type { FastifyInstance } from 'fastify';
import { onOneLine } from '../../protocol/plainText.ts';
import type { SetRepositoryRequest } from '../../protocol/repository.ts';
import { routes } from '../../protocol/routes.ts';
import type { Boxes, BoxUser, RunningBox } from '../boxes/boxes.ts';
import { requireScope, requireUser } from '../http/authenticate.ts';
import { clientGone } from '../http/clientGone.ts';
import type { RateLimits } from '../http/rateLimits.ts';
import { addRoute, type Caller } from '../http/route.ts';
import type { DotfilesRepository } from './dotfilesRepository.ts';
import type { DotfilesSwitch } from './dotfilesSwitch.ts';
import { findGeneration } from './generations.ts';
import { noRepository, type RepositoryRecords } from './repositoryRecords.ts';
import { requireApplied } from './repositorySettings.ts';
import type { ScratchTests } from './scratchTests.ts';

export interface RepositoryRouteParts {
  readonly repository: DotfilesRepository;
  readonly records: RepositoryRecords;
  readonly dotfilesSwitch: DotfilesSwitch;
  readonly scratch: ScratchTests;
  readonly boxes: Pick<Boxes, 'ensure'>;
  readonly limits: Pick<RateLimits, 'opens'>;
  /** @throws SpoonError `not-found` */
  readonly findUser: (userId: string) => Promise<BoxUser>;
}

/** `/v1/environment` */
export function addRepositoryRoutes(
  app: FastifyInstance,
  { repository, records, dotfilesSwitch, scratch, boxes, limits, findUser }: RepositoryRouteParts,
): void {
  /** Without waiting for a setup: what is asked for here is about that very setup. */
  const boxOf = async (caller: Caller, signal: AbortSignal): Promise<RunningBox> =>
    boxes.ensure(await findUser(requireUser(caller).userId), signal, { withoutWaiting: true });

  addRoute(app, routes.dotfilesSwitch, ({ caller }) => dotfilesSwitch.state(requireUser(caller).userId));
  addRoute(app, routes.switchDotfiles, ({ caller, body }) => dotfilesSwitch.set(requireUser(caller).userId, body.on));
  addRoute(app, routes.repository, async ({ caller }) => repository.state(requireUser(caller).userId));
  addRoute(app, routes.setRepository, async ({ caller, body }) => {
    checkScopes(caller, body);
    return repository.set(requireUser(caller).userId, body);
  });
  addRoute(app, routes.removeRepository, async ({ caller }) => repository.remove(requireUser(caller).userId));
  addRoute(app, routes.setRepositoryCredential, async ({ caller, body }) =>
    repository.setCredential(requireUser(caller).userId, body),
  );
  addRoute(app, routes.removeRepositoryCredential, async ({ caller }) =>
    repository.removeCredential(requireUser(caller).userId),
  );
  addRoute(app, routes.checkRepository, async ({ caller, reply }) =>
    repository.check(await boxOf(caller, clientGone(reply))),
  );
  addRoute(app, routes.previewRepository, async ({ caller, body, reply }) => {
    checkScopes(caller, body.settings);
    return repository.preview(await boxOf(caller, clientGone(reply)), body);
  });
  addRoute(app, routes.repositoryGenerations, async ({ caller }) => repository.generations(requireUser(caller).userId));
  addRoute(app, routes.rollBackRepository, async ({ caller, body, reply }) =>
    repository.rollBack(await boxOf(caller, clientGone(reply)), body.generation),
  );
  addRoute(app, routes.rollBackRepositoryFile, async ({ caller, body, reply }) => {
    const stored = (await records.read(requireUser(caller).userId)) ?? noRepository;
    requireApplied(stored);
    const { commit } = findGeneration(stored, body.generation);
    const box = await boxOf(caller, clientGone(reply));
    const notes = await box.boxd.repository.rollBackFile({ commit, path: body.path });
    return { notes: notes.map((note) => onOneLine(note)) };
  });
  addRoute(app, routes.runRepository, async ({ caller, body, reply }) =>
    repository.run(await boxOf(caller, clientGone(reply)), body),
  );
  addRoute(app, routes.testRepository, async ({ caller, body }) => {
    checkScopes(caller, body.settings);
    const { userId, tokenId } = requireUser(caller);
    limits.opens.take(tokenId);
    return { test: await scratch.start(await findUser(userId), body) };
  });
  addRoute(app, routes.repositoryTest, async ({ caller }) => ({ test: scratch.state(requireUser(caller).userId) }));
  addRoute(app, routes.cancelRepositoryTest, async ({ caller }) => ({
    test: await scratch.cancel(requireUser(caller).userId),
  }));
  addRoute(app, routes.repositoryTestLog, async ({ caller, reply }) =>
    reply.header('content-type', 'text/plain; charset=utf-8').send(await scratch.log(requireUser(caller).userId)),
  );
  addRoute(app, routes.cancelRepository, async ({ caller }) => repository.cancel(requireUser(caller).userId));
  addRoute(app, routes.repositoryLog, async ({ caller, reply }) =>
    reply.header('content-type', 'text/plain; charset=utf-8').send(await repository.log(requireUser(caller).userId)),
  );
}

/** A credential asks for what its own route asks for. @throws SpoonError `insufficient-scope` */
function checkScopes(caller: Caller, settings: SetRepositoryRequest | undefined): void {
  if (settings?.credential !== undefined) requireScope(caller, routes.setRepositoryCredential.scope);
}
