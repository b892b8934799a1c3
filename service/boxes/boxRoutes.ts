import type { FastifyInstance } from 'fastify';
import type { Box, StageReport } from '../../protocol/boxes.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { HomeUsage } from '../../protocol/homeUsage.ts';
import { withoutHidden } from '../../protocol/plainText.ts';
import { routes } from '../../protocol/routes.ts';
import { requireUser } from '../http/authenticate.ts';
import { clientGone } from '../http/clientGone.ts';
import { addRoute, type Caller } from '../http/route.ts';
import type { Boxes, BoxUser, RunningBox } from './boxes.ts';

export interface BoxRouteParts {
  readonly boxes: Boxes;
  /** @throws SpoonError `not-found` */
  readonly findUser: (userId: string) => Promise<BoxUser>;
  /** Checks the home against all dotfiles and repairs it. */
  readonly applyAll: (box: RunningBox) => Promise<StageReport[]>;
  /** Asks the box, and says what the home may hold. */
  readonly homeSizes: { count(box: RunningBox): Promise<HomeUsage> };
}

/** `/v1/box` */
export function addBoxRoutes(app: FastifyInstance, { boxes, findUser, applyAll, homeSizes }: BoxRouteParts): void {
  const ownUser = (caller: Caller) => findUser(requireUser(caller).userId);
  const describe = (user: BoxUser): Promise<Box> => boxes.describe(user);

  addRoute(app, routes.box, async ({ caller }) => describe(await ownUser(caller)));
  addRoute(app, routes.boxContainer, async ({ caller }) => {
    const user = await ownUser(caller);
    const box = boxes.running(user.userId);
    if (box === undefined) throw new SpoonError('box-stopped', 'Start it first.');
    const { engine } = await describe(user);
    return { containerId: engine === 'docker' ? box.engineId : null };
  });
  addRoute(app, routes.startBox, async ({ caller, reply }) => {
    const user = await ownUser(caller);
    await boxes.ensure(user, clientGone(reply));
    return describe(user);
  });
  addRoute(app, routes.stopBox, async ({ caller }) => {
    const user = await ownUser(caller);
    await boxes.unpin(user);
    await boxes.stop(user.userId);
    return describe(user);
  });
  addRoute(app, routes.restartBox, async ({ caller, reply }) => {
    const user = await ownUser(caller);
    await boxes.restart(user, clientGone(reply));
    return describe(user);
  });
  addRoute(app, routes.pinBox, async ({ caller, body }) => {
    const user = await ownUser(caller);
    await boxes.pin(user, body.untilMs);
    return describe(user);
  });
  addRoute(app, routes.unpinBox, async ({ caller }) => {
    const user = await ownUser(caller);
    await boxes.unpin(user);
    return describe(user);
  });
  addRoute(app, routes.homeUsage, async ({ caller, reply }) => {
    const box = await boxes.ensure(await ownUser(caller), clientGone(reply));
    return shown(await homeSizes.count(box));
  });
  addRoute(app, routes.applyDotfiles, async ({ caller }) => {
    const user = await ownUser(caller);
    const box = boxes.running(user.userId);
    if (box === undefined) throw new SpoonError('box-stopped', 'Your dotfiles will be there when it starts.');
    const stages = await applyAll(box);
    return { ...(await describe(user)), stages };
  });
}

/** Names are the home's, and are shown in lists: no control characters. */
function shown(usage: HomeUsage): HomeUsage {
  return { ...usage, folders: usage.folders.map((folder) => ({ ...folder, path: withoutHidden(folder.path, '?') })) };
}
