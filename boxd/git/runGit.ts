import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { BoxdCredential } from '../../protocol/boxdRepository.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { createMasker } from '../../protocol/maskSecrets.ts';
import type { SecretFiles } from '../processes/secretFiles.ts';
import type { Settings } from '../settings.ts';
import { openGitAccess } from './gitAccess.ts';
import { gitEnvironment, guardedConfiguration, localConfiguration } from './gitArguments.ts';
import { KeptText } from './keptText.ts';

export interface GitCall {
  readonly args: readonly string[];
  readonly cwd: string;
  /**
   * `guarded` may speak to a server and writes what comes from there: only Spoon's own configuration counts. `local` looks
   * at a checkout as its owner would, with the owner's own configuration, and never at the network.
   */
  readonly trust: 'guarded' | 'local';
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Each piece of standard output, instead of keeping it; `false` has seen enough and ends git. */
  readonly onOutput?: (chunk: Buffer) => boolean;
  /** Each piece of standard error, for progress. */
  readonly onProgress?: (text: string) => void;
  readonly environment?: Readonly<Record<string, string>>;
  /** For the server of a private repository. */
  readonly credential?: BoxdCredential | undefined;
}

export interface GitResult {
  /** Null when it was ended because it had said enough. */
  readonly code: number | null;
  readonly stdout: string;
  /** What a person may be shown; at most 64 KiB. */
  readonly stderr: string;
}

/** What is kept of one command's output; lists are read as they come instead. */
const maxOutputBytes = 1024 * 1024;

/** Runs git as the user, in a process group of its own so that its helpers end with it (security.md section 3, row 88). */
export class Git {
  readonly #settings: Settings;
  readonly #caBundle: () => string | undefined;
  readonly #secretFiles: SecretFiles;

  /** @param caBundle where the authorities to trust are, if they are not the image's own */
  constructor(settings: Settings, caBundle: () => string | undefined, secretFiles: SecretFiles) {
    this.#settings = settings;
    this.#caBundle = caBundle;
    this.#secretFiles = secretFiles;
  }

  /**
   * Resolves with whatever exit code git had.
   * @throws SpoonError `git-missing`, `git-timeout`; the signal's reason
   */
  async run(call: GitCall): Promise<GitResult> {
    const { args, cwd, trust, timeoutMs, signal, onOutput, onProgress } = call;
    signal?.throwIfAborted();
    using access = call.credential && openGitAccess(call.credential, this.#secretFiles);
    // A server may send back what it was sent.
    const mask = createMasker(access?.masked ?? []);
    const configuration = [
      ...(trust === 'guarded' ? guardedConfiguration : localConfiguration),
      ...(access?.configuration ?? []),
    ];
    const child = spawn('git', [...configuration.flatMap((setting) => ['-c', setting]), ...args], {
      cwd,
      env: {
        ...gitEnvironment(this.#settings, trust, trust === 'guarded' ? this.#caBundle() : undefined),
        ...call.environment,
        ...access?.environment,
      },
      stdio: ['ignore', 'pipe', 'pipe', access?.answer === undefined ? 'ignore' : 'pipe'],
      detached: true,
    });
    // Node types the descriptors after 2 as either direction; a pipe of its own making has both.
    if (access?.answer !== undefined) access.answer(child.stdio[3] as Duplex);
    const { stdout: output, stderr: errors } = child;
    if (output === null || errors === null) throw new Error('git was started without its pipes');
    const stdout = new KeptText(maxOutputBytes);
    const stderr = new KeptText();
    let ended: 'timeout' | 'enough' | 'cancelled' | undefined;
    const end = (why: typeof ended): void => {
      ended ??= why;
      killGroup(child.pid);
    };
    const timer = setTimeout(() => end('timeout'), timeoutMs);
    const onAbort = () => end('cancelled');
    signal?.addEventListener('abort', onAbort, { once: true });
    output.on('data', (chunk: Buffer) => {
      if (onOutput === undefined) stdout.add(chunk);
      else if (ended === undefined && !onOutput(chunk)) end('enough');
    });
    errors.on('data', (chunk: Buffer) => {
      stderr.add(chunk);
      onProgress?.(chunk.toString('utf8'));
    });
    try {
      const { promise, resolve, reject } = Promise.withResolvers<number | null>();
      child.once('error', reject);
      child.once('close', resolve);
      const code = await promise;
      if (ended === 'cancelled') signal?.throwIfAborted();
      if (ended === 'timeout') {
        throw new SpoonError('git-timeout', `It had ${Math.round(timeoutMs / 1000)} s.`);
      }
      return { code: ended === 'enough' ? null : code, stdout: stdout.text, stderr: mask(stderr.plain) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw new SpoonError('git-missing', 'Use an image that has it.', { cause: error });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      // A helper may outlive git itself.
      killGroup(child.pid);
    }
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
