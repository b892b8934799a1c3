import type { StartRepositoryRun } from '../../protocol/boxdRepository.ts';
import type { StageReport } from '../../protocol/boxes.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import { plainLog } from '../../protocol/plainText.ts';
import type {
  PreviewRepositoryRequest,
  RepositoryGenerations,
  RepositoryPreview,
  RepositoryRun,
  RepositorySettings,
  RepositoryState,
  RunRepositoryRequest,
  SetRepositoryRequest,
} from '../../protocol/repository.ts';
import { isCommit } from '../../protocol/repositoryAddress.ts';
import type { SetRepositoryCredentialRequest } from '../../protocol/repositoryCredential.ts';
import type { RunningBox } from '../boxes/boxes.ts';
import { InTurn } from '../boxes/inTurn.ts';
import { restoringRun } from './endedRuns.ts';
import { generationsOf, previewed, withEnded, withRolledBack } from './generations.ts';
import type { LiveOverlay } from './liveOverlay.ts';
import { plainPreview, plainRun } from './plainLog.ts';
import type { RepositoryCredentials } from './repositoryCredentials.ts';
import { noRepository, type RepositoryRecords, type StoredRepository } from './repositoryRecords.ts';
import {
  isApplied,
  readSettings,
  requireApplied,
  withFound,
  withoutRepository,
  withSettings,
  withUpdate,
} from './repositorySettings.ts';
import type { RunRequests } from './runRequests.ts';
import { type LiveRun, watchRun } from './watchRun.ts';

export interface DotfilesRepositoryParts {
  readonly records: RepositoryRecords;
  readonly credentials: RepositoryCredentials;
  readonly requests: RunRequests;
  /** `SPOON_GIT_HOSTS`. */
  readonly gitHosts: readonly string[];
  readonly reachable: (userId: string) => RunningBox | undefined;
  readonly tellStages: (box: RunningBox, stages: StageReport[]) => void;
  readonly overlay: Pick<LiveOverlay, 'applyAll'>;
  readonly publish: (userId: string, event: SpoonEvent) => void;
  readonly onEnded: (userId: string, ended: { readonly url: string | undefined; readonly run: RepositoryRun }) => void;
  /** What failed where nobody waits for an answer. */
  readonly onError: (error: unknown, userId: string) => void;
}

export interface BegunRun {
  /** The run with all that belongs to it, the overlay last; never rejects. */
  readonly done: Promise<RepositoryRun>;
}

/**
 * The dotfiles repository of each user: what it is, which commit counts, and its runs in their boxes. The service itself
 * never asks its server and never looks into the home; boxd does both. What boxd says outlives the box here.
 */
export class DotfilesRepository {
  readonly #parts: DotfilesRepositoryParts;
  /** Runs that are followed just now. */
  readonly #live = new Map<string, LiveRun>();
  /** What begins does so for what counts then, and boxd goes on with what it heard last. */
  readonly #beginning = new InTurn();

  constructor(parts: DotfilesRepositoryParts) {
    this.#parts = parts;
  }

  async state(userId: string): Promise<RepositoryState> {
    const { records } = this.#parts;
    const { settings, commit, available, checkedMs, credential } = (await records.read(userId)) ?? noRepository;
    const run = this.#live.get(userId)?.run ?? (await records.readRun(userId)) ?? null;
    return { settings, commit, available, checkedMs, run, ...(credential && { credential }) };
  }

  /** All of it or nothing. @throws SpoonError `url-…`, `ref-invalid`, `setup-path-invalid`; as {@link setCredential} */
  async set(userId: string, { credential, ...request }: SetRepositoryRequest): Promise<RepositoryState> {
    const settings = readSettings(request, this.#parts.gitHosts);
    const change = (before: StoredRepository | undefined) => withSettings(before, settings, request.commit);
    await this.#parts.credentials.changeWith(userId, { url: settings.url, credential }, change);
    return this.#changed(userId);
  }

  /** @throws SpoonError `credential-invalid`, `host-key-invalid`, and of the sealed value `seal-…` */
  async setCredential(userId: string, request: SetRepositoryCredentialRequest): Promise<RepositoryState> {
    await this.#parts.credentials.set(userId, request);
    return this.#changed(userId);
  }

  async removeCredential(userId: string): Promise<RepositoryState> {
    await this.#parts.credentials.remove(userId);
    return this.#tell(userId);
  }

  async remove(userId: string): Promise<RepositoryState> {
    await this.#parts.credentials.change(userId, (before) => before && withoutRepository(before));
    return this.#changed(userId);
  }

  /** Asks what the ref points to, and takes it where that was said once for all. @throws SpoonError `repository-…`, `ref-missing`, … */
  async check(box: RunningBox): Promise<RepositoryState> {
    const { userId } = box.user;
    const { url, ref } = await this.#required(userId);
    const found =
      ref !== null && isCommit(ref)
        ? ref
        : await box.boxd.repository.resolve({ url, ref, credential: await this.#parts.credentials.open(userId, url) });
    let isTaken = false;
    await this.#parts.records.write(userId, (before) => {
      // Meanwhile another repository was chosen.
      if (before?.settings?.url !== url || before.settings.ref !== ref) return before;
      const after = withFound(before, found, Date.now());
      isTaken = after.commit !== before.commit && before.commit !== null;
      return after;
    });
    if (isTaken) await this.begin(box);
    return this.#tell(userId);
  }

  /**
   * Begins a run though nothing changed.
   * @param wanted of an update with a commit that one alone is taken, which somebody has looked at; else what the ref points to now
   * @throws SpoonError `repository-updated` where that commit is no longer what is offered; as {@link check}
   */
  async run(box: RunningBox, { update = false, commit }: RunRepositoryRequest): Promise<RepositoryState> {
    const { userId } = box.user;
    await this.#required(userId);
    if (update) {
      if (commit === undefined) await this.check(box);
      await this.#parts.records.write(userId, (before) => withUpdate(before, commit));
    }
    await this.begin(box, { force: !update });
    return this.#tell(userId);
  }

  /** What a run would do. @throws SpoonError as {@link check}; `not-found` for a generation that is not there */
  async preview(box: RunningBox, wanted: PreviewRepositoryRequest): Promise<RepositoryPreview> {
    const { userId } = box.user;
    if (wanted.settings === undefined) await this.#required(userId);
    if (wanted.update) await this.check(box);
    const { look } = await this.planFor(userId, wanted);
    return plainPreview(await box.boxd.repository.preview(await look(box)));
  }

  /**
   * What boxd is told of what would count, for a look, or for a run that changes nothing. Such a run has the secrets of
   * setups where what runs is what the user has agreed to.
   * @throws SpoonError `not-found`, `repository-none`; as {@link set}
   */
  async planFor(userId: string, wanted: PreviewRepositoryRequest) {
    const stored = (await this.#parts.records.read(userId)) ?? noRepository;
    const { credentials, requests, gitHosts } = this.#parts;
    const planned = previewed(wanted, stored, gitHosts);
    const { settings } = planned;
    if (settings === null) throw new SpoonError('repository-none', 'Choose one first: spoonctl dotfiles repo set.');
    const given = wanted.settings?.credential;
    const offered = given ? await credentials.look(userId, settings.url, given) : given;
    const isCounting = planned.commit !== null && (wanted.generation !== undefined || isApplied(stored));
    const isAgreed = wanted.settings === undefined && isCounting && (!wanted.update || settings.always);
    const look = (box: RunningBox) => requests.forLook(box, planned, offered);
    return {
      look,
      isAgreed,
      request: async (box: RunningBox): Promise<StartRepositoryRun> =>
        isAgreed ? requests.forRun(box, planned, { force: true }) : { ...(await look(box)), force: true },
    };
  }

  async generations(userId: string): Promise<RepositoryGenerations> {
    const stored = (await this.#parts.records.read(userId)) ?? noRepository;
    return generationsOf(stored, (await this.state(userId)).run);
  }

  /** Applies an earlier generation; 0 gives back what was there before any. @throws SpoonError `not-found`; as {@link begin} */
  async rollBack(box: RunningBox, generation: number): Promise<RepositoryState> {
    const { userId } = box.user;
    await this.#parts.credentials.change(userId, (before) => withRolledBack(before ?? noRepository, generation));
    await this.begin(box);
    return this.#tell(userId);
  }

  async cancel(userId: string): Promise<RepositoryState> {
    const live = this.#live.get(userId);
    if (live !== undefined) {
      await live.box.boxd.repository.cancel();
      await live.done;
    }
    return this.state(userId);
  }

  /** Plain text. While a run is under way, what it has printed so far. */
  async log(userId: string): Promise<string> {
    const live = this.#live.get(userId);
    const bytes = await (live === undefined ? this.#parts.records.readLog(userId) : live.box.boxd.repository.log());
    return plainLog(Buffer.from(bytes).toString('utf8'));
  }

  /**
   * Clone and setup, where something changed since they last ended well.
   * @returns undefined where there is nothing to run
   * @throws SpoonError what boxd throws
   */
  begin(box: RunningBox, { force = false } = {}): Promise<BegunRun | undefined> {
    return this.#beginning.run(box.user.userId, () => this.#begin(box, force));
  }

  async #begin(box: RunningBox, force: boolean): Promise<BegunRun | undefined> {
    const { userId } = box.user;
    const { records, requests } = this.#parts;
    const stored = await records.read(userId);
    if (stored === undefined) return undefined;
    if (stored.settings === null || !isApplied(stored)) {
      if (stored.restore) await this.#restore(box);
      return undefined;
    }
    const { url, ref } = stored.settings;
    const begun = await box.boxd.repository.start(await requests.forRun(box, stored, { force }));
    if (begun.upToDate || begun.run === null) return undefined;
    const before = this.#live.get(userId);
    if (before?.box === box && !before.hasEnded) {
      before.of = { url, ref };
      before.fromStep = begun.step;
      return { done: before.done };
    }
    const live: LiveRun = {
      ...{ run: plainRun(begun.run), of: { url, ref }, fromStep: begun.step, hasEnded: false, box },
      done: Promise.resolve()
        .then(() => this.#follow(live))
        .finally(() => {
          if (this.#live.get(userId) === live) this.#live.delete(userId);
          this.#tell(userId).catch((error: unknown) => this.#parts.onError(error, userId));
        }),
    };
    this.#live.set(userId, live);
    await this.#tell(userId);
    return { done: live.done };
  }

  /** To the end of the run, and what belongs to it: it is kept, its commit counts, the overlay is written last. */
  async #follow(live: LiveRun): Promise<RepositoryRun> {
    const { box } = live;
    const { userId } = box.user;
    const { records, overlay, tellStages, onEnded, onError } = this.#parts;
    const run = await watchRun(live, () => this.#tell(userId));
    live.hasEnded = true;
    onEnded(userId, { url: live.of.url, run });
    try {
      const log = await box.boxd.repository.log().catch(() => new Uint8Array());
      await records.writeRun(userId, run, log);
      await records.write(userId, (before) => before && withEnded(before, run, live.of));
    } catch (error) {
      onError(error, userId);
    }
    tellStages(box, [...run.stages, ...(await overlay.applyAll(box))]);
    return run;
  }

  /** The box's part of a change: at once where one is up, else at its next start. */
  async #changed(userId: string): Promise<RepositoryState> {
    const box = this.#parts.reachable(userId);
    if (box !== undefined) {
      try {
        await this.begin(box);
      } catch (error) {
        if (!(error instanceof SpoonError)) throw error;
        this.#parts.onError(error, userId); // It is kept; the box takes it at its next start.
      }
    }
    return this.#tell(userId);
  }

  async #restore(box: RunningBox): Promise<void> {
    const { userId } = box.user;
    const { records, overlay } = this.#parts;
    // First what came last: links that a dotfile has displaced must be there again to be taken out.
    await overlay.applyAll(box);
    const notes = await box.boxd.repository.remove();
    await this.#live.get(userId)?.done;
    await records.writeRun(userId, plainRun(restoringRun(notes)), Buffer.from(`${notes.join('\n')}\n`));
    await records.write(userId, (before) => before && { ...before, restore: false });
    await overlay.applyAll(box);
  }

  async #required(userId: string): Promise<RepositorySettings> {
    return requireApplied(await this.#parts.records.read(userId));
  }

  async #tell(userId: string): Promise<RepositoryState> {
    const repository = await this.state(userId);
    this.#parts.publish(userId, { type: 'repository.changed', repository });
    return repository;
  }
}
