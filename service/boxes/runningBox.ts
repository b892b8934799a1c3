import type { StageReport } from '../../protocol/boxes.ts';
import type { BoxdClient } from './boxdClient.ts';
import type { BoxdLink } from './boxdLink.ts';
import type { BoxHappening } from './boxHappening.ts';
import type { BoxSpec, Engine } from './engine.ts';
import type { IdleRules } from './holders.ts';
import type { Pulse } from './pulse.ts';

export interface BoxUser {
  readonly userId: string;
  readonly username: string;
  readonly uid: number;
  readonly shell: string;
}

export interface RunningBox {
  readonly user: BoxUser;
  readonly boxd: BoxdClient;
  readonly link: BoxdLink;
  readonly pulse: Pulse;
  readonly startedMs: number;
  /** As the engine calls it. */
  readonly engineId: string;
  /** What it was made from; undefined where there are no images. */
  readonly imageId: string | undefined;
}

export interface StartingBox {
  readonly box: Promise<RunningBox>;
  readonly abort: AbortController;
  readonly openNow: AbortController;
}

/** What a box needs of the service around it. */
export interface Surroundings {
  readonly engine: Engine;
  readonly rules: IdleRules;
  memoryBytes(): number;
  readonly socketDir: string;
  /** What the image's name stands for now, as far as it is known. */
  imageId(): string | undefined;
  /** Until when it is kept up by its user's wish. */
  pinnedUntilMs(): number | undefined;
  specOf(user: BoxUser): BoxSpec;
  /** Makes what the spec names: home and system files. */
  prepare(spec: BoxSpec): Promise<void>;
  /** Puts what the box trusts beside the socket; before it starts, or when it is taken over. */
  layTrust(): Promise<void>;
  /** Brings the home up to date. */
  onStarted(box: RunningBox, waiting: Waiting): Promise<StageReport[]>;
  report(problem: unknown): void;
  changed(user: BoxUser): void;
  happened(user: BoxUser, happening: BoxHappening): void;
  /** It does not answer, or does again. */
  silent(user: BoxUser, isSilent: boolean): void;
}

/** Of who waits for a start. */
export interface Waiting {
  /** Aborted when somebody does not want to wait for what takes long: it goes on beside them. */
  readonly openNow: AbortSignal;
  /** Aborted when the start is given up. */
  readonly signal?: AbortSignal | undefined;
}
