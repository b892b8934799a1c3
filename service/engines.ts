import { join, relative } from 'node:path';
import { SpoonError } from '../protocol/errors.ts';
import { DockerEngine } from './boxes/dockerEngine.ts';
import type { Engine, EngineFacts } from './boxes/engine.ts';
import { ProcessEngine } from './boxes/processEngine.ts';
import type { Config } from './config.ts';
import type { Workdir } from './workdir.ts';

export interface ChosenEngine {
  readonly engine: Engine;
  /** Absent: it does not answer yet. The service runs without boxes and says so. */
  readonly facts: EngineFacts | undefined;
}

/**
 * Docker where it is asked for or, by `auto`, where it answers; else processes.
 * @throws SpoonError `engine-unavailable` when no boxes are possible at all
 */
export async function chooseEngine(config: Config, workdir: Workdir, instanceId: string): Promise<ChosenEngine> {
  if (config.engine !== 'process') {
    const engine = new DockerEngine({
      host: config.dockerHost,
      instanceId,
      hostPath: (path) => join(config.hostWorkdir, relative(config.workdir, path)),
      separatesUsers: process.getuid?.() === 0,
    });
    const facts = await factsOf(engine);
    if (facts !== undefined || config.engine === 'docker') return { engine, facts };
    await engine.close();
  }
  const engine = await ProcessEngine.open({ stateDir: workdir.run, instanceId, hidden: [workdir.root] });
  return { engine, facts: await engine.probe() };
}

async function factsOf(engine: Engine): Promise<EngineFacts | undefined> {
  try {
    return await engine.probe();
  } catch (error) {
    if (error instanceof SpoonError && error.code === 'engine-unavailable') return undefined;
    throw error;
  }
}

const freshMs = 10_000;

/** What is wrong with the engine, for health: asked again only now and then, however often somebody wants to know. */
export class EngineHealth {
  readonly #engine: Engine;
  #asked: { atMs: number; problems: Promise<readonly string[]> } | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  problems(): Promise<readonly string[]> {
    const nowMs = performance.now();
    if (this.#asked === undefined || nowMs - this.#asked.atMs > freshMs) {
      this.#asked = { atMs: nowMs, problems: this.#ask() };
    }
    return this.#asked.problems;
  }

  async #ask(): Promise<readonly string[]> {
    const facts = await factsOf(this.#engine);
    return facts?.problems ?? ['The container engine does not answer. Dotfiles work; terminals do not.'];
  }
}
