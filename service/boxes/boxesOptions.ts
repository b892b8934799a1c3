import type { BoxHappening } from './boxHappening.ts';
import type { BoxSpec, Engine } from './engine.ts';
import type { Pins } from './pins.ts';
import type { BoxUser, Surroundings } from './runningBox.ts';

export interface BoxPlaces {
  readonly homesDir: string;
  /** Holds a directory with the socket of each box; 0700. */
  readonly runDir: string;
  /** Holds the generated system files of each box. */
  readonly etcDir: string;
  /** The bundle that new boxes get (`boxdBundle.ts`). */
  readonly boxdDir: string;
}

export interface BoxSettings {
  readonly image: string;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly maxProcesses: number;
  /** A box stops so long after the last holder has let go. */
  readonly idleMs: number;
  /** So long a program in a detached terminal holds its box. */
  readonly detachedMs: number;
  /** From the engine's facts. False: every box has this process's uid, and there is one user. */
  readonly separatesUsers: boolean;
  /** PEM of the certificate authorities that git in a box trusts beside the image's. */
  readonly authorities?: string | undefined;
}

export interface BoxesOptions {
  readonly engine: Engine;
  readonly places: BoxPlaces;
  readonly settings: BoxSettings;
  /** Brings the home up to date; a box counts as running when it is done. What failed in it is in its reports. */
  readonly onStarted: Surroundings['onStarted'];
  /** Which boxes their users want kept up. */
  readonly pins: Pick<Pins, 'untilMs' | 'set' | 'clear'>;
  /** What this user's box may use, where that is not what `settings` says. */
  readonly limitsOf?: (userId: string) => Pick<BoxSpec, 'memoryBytes' | 'cpus' | 'maxProcesses'>;
  /** For who writes down what becomes of boxes. */
  readonly happened?: (user: BoxUser, happening: BoxHappening) => void;
  /** For the log: what went wrong where nobody waits for an answer. */
  readonly report: (problem: unknown) => void;
}
