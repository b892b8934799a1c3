import { join, relative } from 'node:path';
import type { HealthFinding } from '../protocol/admin.ts';
import { SpoonError } from '../protocol/errors.ts';
import { chooseEngine } from './boxes/chooseEngine.ts';
import { DockerEngine } from './boxes/dockerEngine.ts';
import { placesOnDockerHost } from './boxes/dockerOwnContainer.ts';
import type { Engine } from './boxes/engine.ts';
import type { Config } from './config.ts';
import type { Logger } from './logger.ts';
import type { Workdir } from './workdir.ts';

export interface OpenedEngine {
  readonly engine: Engine;
  readonly separatesUsers: boolean;
  /** For the person who starts the service: what was chosen and why. */
  readonly because: string;
}

/**
 * The engine of the settings. Docker that was asked for and is away does not stop the start: dotfiles work without it.
 * @throws SpoonError `config-invalid` where boxes could not have the homes
 */
export async function openEngine(config: Config, workdir: Workdir, instanceId: string): Promise<OpenedEngine> {
  const isRoot = process.getuid?.() === 0;
  const docker = {
    host: config.dockerHost,
    instanceId,
    hostPath: (path: string) => join(config.hostWorkdir, relative(config.workdir, path)),
    separatesUsers: isRoot,
    egress: { gitHosts: config.git.hosts, dns: config.network.dns, networkNamespace: config.network.namespace },
  };
  const processes = { stateDir: workdir.run, instanceId, hidden: [workdir.root] };
  try {
    const { engine, facts, because } = await chooseEngine(config.engine, docker, processes);
    if (engine.name === 'docker') {
      await checkHostWorkdir(config, workdir).catch(async (error: unknown) => {
        await engine.close();
        throw error;
      });
    }
    return { engine, separatesUsers: facts.separatesUsers, because };
  } catch (error) {
    if (config.engine !== 'docker' || !isAway(error)) throw error;
    const because = `No Docker answers at ${docker.host}. There are no boxes until it does.`;
    return { engine: new DockerEngine(docker), separatesUsers: isRoot, because };
  }
}

/** Otherwise the first box would have another folder of the host as its home, or none. */
async function checkHostWorkdir({ dockerHost, hostWorkdir }: Config, { root, ...places }: Workdir): Promise<void> {
  const inside = [places.homes, places.run, places.etc, places.boxd];
  const found = await placesOnDockerHost(dockerHost, [root, ...inside]);
  if (found === null) return;
  const [rootOnHost, ...insideOnHost] = found;
  if (rootOnHost === undefined) {
    throw new SpoonError(
      'config-invalid',
      `SPOON_AGENT_WORKDIR is ${root}, inside the container of the service: boxes cannot have their homes there, and all of it goes with the container. Mount a folder of the host there, as docker/compose.yaml does.`,
    );
  }
  if (rootOnHost !== hostWorkdir) {
    const given = hostWorkdir === root ? 'is not set' : `is ${hostWorkdir}`;
    throw new SpoonError(
      'config-invalid',
      `The service runs in a container, and SPOON_AGENT_HOST_WORKDIR ${given}. Docker's host has ${root} at ${rootOnHost}: set SPOON_AGENT_HOST_WORKDIR=${rootOnHost}.`,
    );
  }
  const apart = inside.findIndex((path, index) => insideOnHost[index] !== join(hostWorkdir, relative(root, path)));
  if (apart < 0) return;
  throw new SpoonError(
    'config-invalid',
    `${inside[apart]} is a mount of its own in the container of the service, where boxes cannot find it. Mount it on Docker's host, at ${join(hostWorkdir, relative(root, inside[apart] ?? ''))}, and only the folder above into the container.`,
  );
}

const freshMs = 10_000;

/** What is wrong with the engine, for health: asked again only now and then, however often somebody wants to know. */
export class EngineHealth {
  readonly #engine: Pick<Engine, 'name' | 'probe' | 'imageId'>;
  readonly #image: string;
  #asked: { atMs: number; look: Promise<EngineLook> } | undefined;

  /** @param image what boxes run */
  constructor(engine: Pick<Engine, 'name' | 'probe' | 'imageId'>, image: string) {
    this.#engine = engine;
    this.#image = image;
  }

  async findings(): Promise<readonly HealthFinding[]> {
    return (await this.#ask()).findings;
  }

  /** Whether it does not answer at all. */
  async isAway(): Promise<boolean> {
    return (await this.#ask()).away;
  }

  #ask(): Promise<EngineLook> {
    const nowMs = performance.now();
    if (this.#asked === undefined || nowMs - this.#asked.atMs > freshMs) {
      this.#asked = { atMs: nowMs, look: lookAt(this.#engine, this.#image) };
    }
    return this.#asked.look;
  }
}

/** What a start has to say about the engine. The start does not wait for it. */
export function logFindings(engine: EngineHealth, log: Logger): void {
  engine.findings().then(
    (findings) => {
      for (const { text } of findings) log.warn('engine.problem', { text });
    },
    (error: unknown) => log.failure('engine.problem', error),
  );
}

interface EngineLook {
  readonly away: boolean;
  readonly findings: readonly HealthFinding[];
}

async function lookAt(engine: Pick<Engine, 'name' | 'probe' | 'imageId'>, image: string): Promise<EngineLook> {
  try {
    const { problems } = await engine.probe();
    const findings = problems.map((text): HealthFinding => ({ about: 'engine', state: 'warning', text }));
    return { away: false, findings: [...findings, ...(await imageFindings(engine, image))] };
  } catch (error) {
    if (!isAway(error)) throw error;
    const text = 'The container engine does not answer. Dotfiles work; terminals do not.';
    return { away: true, findings: [{ about: 'engine', state: 'failed', text }] };
  }
}

/** Boxes that run are not asked about it, so nobody would notice before the next start. */
async function imageFindings(engine: Pick<Engine, 'name' | 'imageId'>, image: string): Promise<HealthFinding[]> {
  if (engine.name !== 'docker' || (await engine.imageId(image)) !== undefined) return [];
  const text = `Docker has no image ${image}: no box starts, those that run go on. Make it with npm run up, or pull or build one of that name.`;
  return [{ about: 'image', state: 'failed', text }];
}

function isAway(error: unknown): boolean {
  return error instanceof SpoonError && error.code === 'engine-unavailable';
}
