import { SpoonError } from '../../protocol/errors.ts';
import { DockerEngine, type DockerEngineOptions } from './dockerEngine.ts';
import type { Engine, EngineFacts } from './engine.ts';
import { ProcessEngine, type ProcessEngineOptions } from './processEngine.ts';

export interface EngineChoice {
  readonly engine: Engine;
  readonly facts: EngineFacts;
  /** For the person who starts the service: what was chosen and why. */
  readonly because: string;
}

/**
 * `SPOON_ENGINE`: Docker if it answers, else the process engine; or the one that was asked for.
 * @throws SpoonError `engine-unavailable` when Docker was asked for and does not answer
 */
export async function chooseEngine(
  wanted: 'auto' | 'docker' | 'process',
  docker: DockerEngineOptions,
  process: ProcessEngineOptions,
): Promise<EngineChoice> {
  if (wanted !== 'process') {
    const engine = new DockerEngine(docker);
    try {
      const facts = await engine.probe();
      return { engine, facts, because: `Docker ${facts.version} answers at ${docker.host}.` };
    } catch (error) {
      await engine.close();
      const isAway = error instanceof SpoonError && error.code === 'engine-unavailable';
      if (wanted === 'docker' || !isAway) throw error;
    }
  }
  const engine = await ProcessEngine.open(process);
  const facts = await engine.probe();
  const why = wanted === 'process' ? 'SPOON_ENGINE asks for processes.' : `No Docker answers at ${docker.host}.`;
  return { engine, facts, because: `${why} ${facts.isolation}` };
}
