import type { EngineName } from '../../protocol/boxes.ts';
import type { EgressReport } from '../../protocol/egress.ts';
import type { SpoonError } from '../../protocol/errors.ts';

/**
 * What an engine must do: run one box per user, and find its boxes again after the service was away. Both engines pass
 * `engine.conformance.ts`. An engine never looks below a home; it mounts it.
 */
export interface Engine {
  readonly name: Exclude<EngineName, 'none'>;
  /** @throws SpoonError `engine-unavailable` when it does not answer */
  probe(): Promise<EngineFacts>;
  /**
   * Starts the user's box and resolves once boxd's process runs (not: once it has dialled). Finds a box of the same name
   * that runs already and returns that. A stopped one is removed and made anew: nothing but the home outlives a box.
   * @throws SpoonError `engine-unavailable`, `image-missing`, `image-unsuitable`, `box-start-failed`, `home-untrusted`
   */
  start(spec: BoxSpec, signal?: AbortSignal): Promise<EngineBox>;
  /** Ends it: SIGTERM, after `graceMs` SIGKILL; then removes all but the home. Succeeds when there is none. */
  stop(username: string, graceMs: number): Promise<void>;
  /** Has a boxd that a signal has stopped go on. Does nothing to one that runs, or to a box that is not there. */
  wake(username: string): Promise<void>;
  /** The running boxes of this instance, also those that an earlier service process started. */
  list(): Promise<EngineBox[]>;
  /**
   * Tells what happens to boxes that this engine object has started or listed, within 5 s. The returned function ends
   * the watch.
   */
  watch(watcher: BoxWatcher): () => void;
  /**
   * What the image's name stands for at present; another answer than a box's `imageId` means that it was made anew.
   * @throws SpoonError `engine-unavailable`
   */
  imageId(image: string): Promise<string | undefined>;
  /**
   * What is wrong with the image, if no box of this spec can run for that. For when one has ended before boxd dialled.
   */
  imageFault(spec: BoxSpec): Promise<SpoonError | undefined>;
  /**
   * Empties a home that no box uses, from inside of it and with its user's rights.
   * @throws SpoonError `engine-unavailable`, `home-not-writable`
   */
  eraseHome(home: ErasableHome): Promise<void>;
  /** What a running box uses; undefined where that is not counted, or there is no such box. */
  usage(username: string): Promise<BoxUsage | undefined>;
  /** Releases what this process holds; the boxes run on. */
  close(): Promise<void>;
  /** What keeps boxes off this machine's network; absent where they share it. */
  readonly network?: BoxNetwork;
}

export interface BoxNetwork {
  /**
   * Sets the firewall rules now and every minute, and tries from a throw-away box whether they hold. What is wrong shows among
   * the problems of `probe`; `onChange` tells when that changes. Resolves after the first try.
   */
  watch(box: Pick<BoxSpec, 'image' | 'boxdDir'>, onChange: () => void): Promise<void>;
  /** What was found last. */
  report(): EgressReport;
  /** The same in plain words. */
  problems(): readonly string[];
  /** Tries again. */
  check(): Promise<EgressReport>;
}

export interface EngineFacts {
  readonly version: string;
  /** How far apart boxes are, in words for the person who starts the service. */
  readonly isolation: string;
  /** False: boxes run with the service's own uid, for one user only (decision 17). */
  readonly separatesUsers: boolean;
  /** Known weaknesses and missing parts, in plain words. */
  readonly problems: readonly string[];
}

export interface ErasableHome extends Pick<BoxSpec, 'uid' | 'gid' | 'boxdDir' | 'image'> {
  /** In `${workdir}/homes`. */
  readonly path: string;
}

export interface BoxSpec {
  readonly userId: string;
  /** Also the name of the box: one of each runs at a time. */
  readonly username: string;
  /** Who it is inside, and where its home is mounted, where `username` only names a scratch box. */
  readonly login?: string;
  /** Of a scratch box: another home of the same user, read-only at `copiedHomeAt`. */
  readonly copiedHome?: string;
  readonly uid: number;
  readonly gid: number;
  readonly shell: string;
  /** `${workdir}/homes/{username}`, made by `boxes/homes.ts`, mounted at `/home/{username}`. */
  readonly homePath: string;
  /** Holds `svc.sock`, which the service listens on; mounted read-only at `/run/spoon` (decision 1). */
  readonly socketDir: string;
  /** Content-hashed bundle of boxd and its Node; mounted read-only at `/opt/spoon`. */
  readonly boxdDir: string;
  /** Generated passwd, group and gitconfig, mounted read-only (decisions 3 and 4). */
  readonly systemFiles: { readonly passwd: string; readonly group: string; readonly gitconfig: string };
  readonly image: string;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly maxProcesses: number;
}

export interface EngineBox {
  readonly username: string;
  /** The engine's own id: a container's, or pid and start time of a process. */
  readonly engineId: string;
  readonly startedMs: number;
  /** What the name of its image stood for then; undefined where there are no images. */
  readonly imageId?: string;
  /** Hash of what the box was made from; a box with another one is replaced at its next idle. */
  readonly specHash: string;
}

export interface BoxUsage {
  /** Since the box started. */
  readonly cpuSeconds: number;
  /** Without what the kernel keeps of files and can drop. */
  readonly memoryBytes: number;
  readonly processes: number;
}

export interface BoxWatcher {
  /** A box ended without `stop`; what it left behind, except the home, has been removed or is being removed. */
  onEnd(end: BoxEnd): void;
  /** The kernel ended a program in a box that had used up its memory; the box itself may run on. */
  onMemoryKill(username: string): void;
}

export interface BoxEnd {
  readonly username: string;
  readonly engineId: string;
  readonly reason: 'exited' | 'out-of-memory' | 'removed' | 'engine-gone';
  readonly exitCode: number | null;
}
