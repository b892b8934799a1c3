import type { Fetch } from '../client/apiClient.ts';
import type { OpenSocket } from '../client/socket.ts';

/** What a build of the extension brings along from where it runs; `node/main.ts` has the one for Node. */
export interface Platform {
  /** @param caPem further certificate authorities to trust, as PEM text */
  network(caPem: string | undefined): { readonly fetch: Fetch; readonly openSocket: OpenSocket };
  /** A sign-in that whoever started this VS Code has handed over, such as `npm run up -- --browser`. */
  handedSignIn(): Promise<{ readonly url: string; readonly token: string } | undefined>;
  readonly disk: LocalDisk;
  readonly docker: LocalDocker;
  /** What a file of the form of `.env` sets, by name; of one that is set twice the last. */
  parseEnv(text: string): Readonly<Record<string, string>>;
}

/** The Docker that a person has on the machine of this window. */
export interface LocalDocker {
  /** Whether it has that container, found out within {@link LocalDockerQuestion.timeoutMs}. Never throws. */
  find(question: LocalDockerQuestion): Promise<LocalContainer>;
}

export interface LocalDockerQuestion {
  readonly containerId: string;
  /** The command to ask with, `docker` or what takes its place. */
  readonly program: string;
  readonly timeoutMs: number;
}

export type LocalContainer =
  /** `context`: the Docker context that it is in, unless that is the default one. */
  | { readonly found: 'here'; readonly name: string; readonly context?: string }
  | { readonly found: 'elsewhere' | 'no-program' | 'no-answer' };

export interface DiskEntry {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  readonly size: number;
  /** Permission bits; undefined where the system has none. */
  readonly mode: number | undefined;
}

/** The disk beside the extension, for what VS Code's own file access cannot tell or make: modes and symbolic links. */
export interface LocalDisk {
  /** A link is not followed. @throws Error of the system */
  look(path: string): Promise<DiskEntry>;
  /** As {@link look}, but of what a link leads to. @throws Error of the system */
  lookBehind(path: string): Promise<DiskEntry>;
  linkTarget(path: string): Promise<string>;
  setMode(path: string, mode: number): Promise<void>;
  /** @throws Error of the system when something is there already */
  makeLink(path: string, target: string): Promise<void>;
}
