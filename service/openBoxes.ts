import { fileURLToPath } from 'node:url';
import type { AuditTrail } from './auditTrail.ts';
import { noteBox } from './boxAudit.ts';
import { readAuthorities } from './boxes/authorities.ts';
import { layBoxd } from './boxes/boxdBundle.ts';
import { Boxes } from './boxes/boxes.ts';
import type { Pins } from './boxes/pins.ts';
import { ScratchBoxes } from './boxes/scratchBoxes.ts';
import type { Config } from './config.ts';
import type { OpenedEngine } from './engines.ts';
import type { HomeDrifts } from './environment/homeDrifts.ts';
import type { Pipeline } from './environment/pipeline.ts';
import type { Logger } from './logger.ts';
import { boxLimits, type Quotas } from './quotas/quotas.ts';
import type { Workdir } from './workdir.ts';

const boxdSource = fileURLToPath(new URL('../dist/boxd', import.meta.url));

interface OpenedBoxes {
  readonly boxes: Boxes;
  readonly scratchBoxes: ScratchBoxes;
  /** Keeps boxes off the network of this machine, and tries whether that holds: a second of work, some of it in a box of its own. */
  watchNetwork(): void;
}

/** Regular boxes, and scratch boxes that share their places. */
export async function openBoxes(parts: {
  config: Config;
  workdir: Workdir;
  opened: OpenedEngine;
  quotas: Quotas;
  pipeline: Pipeline;
  drifts: HomeDrifts;
  pins: Pins;
  trail: AuditTrail;
  log: Logger;
}): Promise<OpenedBoxes> {
  const { config, workdir, opened, quotas, pipeline, drifts, pins, trail, log } = parts;
  const authorities = await readAuthorities(config.git.caFile);
  const { dir } = await layBoxd({ source: boxdSource, workdir: workdir.root });
  const options = {
    engine: opened.engine,
    places: { homesDir: workdir.homes, runDir: workdir.run, etcDir: workdir.etc, boxdDir: dir },
    settings: {
      ...boxLimits,
      image: config.image,
      idleMs: config.boxIdleMs,
      detachedMs: config.detachedMs,
      separatesUsers: opened.separatesUsers,
      authorities,
    },
    limitsOf: (userId: string) => quotas.boxLimitsOf(userId),
    report: (problem: unknown) => log.failure('box', problem),
  };
  const boxes = new Boxes({
    ...options,
    pins,
    happened: (user, happening) => noteBox(trail, user, happening),
    onStarted: async (box, waiting) => {
      const stages = await pipeline.bringUp(box, waiting);
      drifts.follow(box);
      return stages;
    },
  });
  const eraseRemovedHomes = () => boxes.eraseRemovedHomes();
  const { network } = opened.engine;
  return {
    boxes,
    scratchBoxes: new ScratchBoxes({ ...options, eraseRemovedHomes }),
    watchNetwork: () =>
      void network?.watch({ image: config.image, boxdDir: dir }, () => {
        for (const text of network.problems()) log.warn('network.problem', { text });
      }),
  };
}
