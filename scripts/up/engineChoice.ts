import { SpoonError } from '../../protocol/errors.ts';

/** What can be told about Docker on this machine before anything is made. */
export interface DockerSituation {
  /** Undefined where it does not answer. */
  readonly version: string | undefined;
  /** Why, in the words of the system. */
  readonly why?: string;
}

export interface EngineChoice {
  readonly engine: 'docker' | 'process';
  /** Set where `up` brought the image; else the service's own setting counts. */
  readonly image?: string;
  /** Why, where it is not what a person would expect. */
  readonly note?: string;
}

/** The parts of the choice that do something. */
export interface EngineParts {
  /** @returns an image that is there, made if need be @throws Error that says why none could be made */
  ensureImage(): Promise<string>;
}

/**
 * Docker where it answers and has an image for boxes, else processes, unless one of them was asked for.
 * @throws SpoonError `engine-unavailable`, `image-missing` where Docker was asked for and cannot be had
 */
export async function chooseLocalEngine(
  asked: 'auto' | 'docker' | 'process',
  docker: DockerSituation,
  imageIsNamed: boolean,
  { ensureImage }: EngineParts,
): Promise<EngineChoice> {
  if (asked === 'process') return { engine: 'process' };
  if (docker.version === undefined) {
    const why = `Docker does not answer${docker.why === undefined ? '' : ` (${docker.why})`}.`;
    if (asked === 'docker') throw new SpoonError('engine-unavailable', `${why} Start it, or leave SPOON_ENGINE unset.`);
    return { engine: 'process', note: `${why} Boxes run as processes; with Docker they would be containers.` };
  }
  if (imageIsNamed) return { engine: 'docker' };
  try {
    return { engine: 'docker', image: await ensureImage() };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (asked === 'docker') {
      throw new SpoonError('image-missing', `${why} Or name an image of your own in SPOON_AGENT_IMAGE.`, {
        cause: error,
      });
    }
    return {
      engine: 'process',
      note: `Docker answers, but no box image could be made: ${why}\nBoxes run as processes instead.`,
    };
  }
}
