import type { BoxdCredential, StartRepositoryRun } from '../../protocol/boxdRepository.ts';
import type { RunningBox } from '../boxes/boxes.ts';
import type { RepositoryCredentials } from './repositoryCredentials.ts';
import type { StoredRepository } from './repositoryRecords.ts';

type RunSecrets = Required<Pick<StartRepositoryRun, 'environment' | 'secretFiles'>>;

export interface RunRequestsParts {
  readonly credentials: Pick<RepositoryCredentials, 'open'>;
  /** Secrets for the setup. */
  readonly secretsFor: (userId: string) => Promise<RunSecrets>;
  /** `SPOON_GIT_HOSTS`. */
  readonly gitHosts: readonly string[];
  readonly cloneMs: number;
  readonly setupMs: number;
}

/** What boxd is told of the repository that counts. */
export class RunRequests {
  readonly #parts: RunRequestsParts;

  constructor(parts: RunRequestsParts) {
    this.#parts = parts;
  }

  /** With the secrets of the setup. @throws SpoonError `integrity-failure`, `key-unavailable` */
  async forRun(box: RunningBox, stored: StoredRepository, { force }: { force: boolean }): Promise<StartRepositoryRun> {
    const secrets = await this.#parts.secretsFor(box.user.userId);
    return { ...(await this.forLook(box, stored)), ...secrets, force };
  }

  /** For who runs nothing. @param offered instead of what is kept; null: none @throws as {@link forRun} */
  async forLook(
    box: RunningBox,
    { settings, commit }: StoredRepository,
    offered?: BoxdCredential | null,
  ): Promise<StartRepositoryRun> {
    if (settings === null) throw new Error('without settings there is nothing to start');
    const { cloneMs, setupMs, credentials, gitHosts } = this.#parts;
    const { url, ref, setup, manager, submodules, lfs } = settings;
    const credential = offered === undefined ? await credentials.open(box.user.userId, url) : offered;
    const of = { url, ref, commit, setup, manager, image: box.imageId ?? '', force: false, cloneMs, setupMs };
    const extras = { ...(submodules && { submodules, gitHosts: [...gitHosts] }), ...(lfs && { lfs }) };
    return { ...of, ...extras, ...(credential && { credential }) };
  }
}
