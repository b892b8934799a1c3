import type { StartedTerminal, TerminalStates } from '../../protocol/boxd.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { clampSize } from '../../protocol/terminalSize.ts';
import { fullHomeNote } from '../home/fullHome.ts';
import { endProcesses } from '../processes/endProcesses.ts';
import { loginEnvironment, terminalVariables } from '../processes/loginEnvironment.ts';
import { findLoginShell, findSafeShell, safePrompt, shellArguments } from '../processes/loginShell.ts';
import { findWorkingFolder } from '../processes/workingFolder.ts';
import type { Settings } from '../settings.ts';
import { Terminal } from './terminal.ts';

/** How long a viewer that was away may still fetch the last output and the exit code. */
const keepEndedMs = 60_000;
/** The service allows far fewer; this bounds what a bug there could start. */
const maxTerminals = 64;

/** What `StartTerminal` of protocol/boxd.ts says, read by hand. */
export interface TerminalRequest {
  readonly id: string;
  readonly shell: string;
  readonly cwd: string;
  readonly columns: unknown;
  readonly rows: unknown;
  readonly safe: boolean;
  readonly environment: Readonly<Record<string, string>>;
  /** Which thread it was opened in, to be told again. */
  readonly thread: string | undefined;
}

const markerName = 'SPOON_TERMINAL_ID';

/** All terminals of this box, by id. */
export class Terminals {
  readonly #settings: Settings;
  readonly #terminals = new Map<string, Terminal>();
  readonly #threads = new Map<string, string>();
  readonly #forgetting = new Set<NodeJS.Timeout>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** @throws SpoonError `request-invalid`, `terminal-limit`, `image-unsuitable` */
  async start(request: TerminalRequest): Promise<StartedTerminal> {
    const { id, safe } = request;
    if (this.#terminals.has(id)) throw new SpoonError('request-invalid', 'There is a terminal of this id.');
    if (this.#running().length >= maxTerminals) throw new SpoonError('terminal-limit');
    const login = findLoginShell(request.shell);
    const shell = safe ? findSafeShell() : login.shell;
    const folder = findWorkingFolder(this.#settings.home, request.cwd);
    const terminal = await Terminal.start(
      id,
      {
        file: shell,
        args: shellArguments(shell, safe),
        environment: loginEnvironment(this.#settings, {
          shell: login.shell,
          extra: { ...terminalVariables, ...(safe ? { PS1: safePrompt } : {}), ...request.environment },
          marker: { [markerName]: id, PWD: folder.path },
        }),
        cwd: folder.path,
        ...clampSize(request),
      },
      () => this.#onExit(id),
    );
    this.#terminals.set(id, terminal);
    if (request.thread !== undefined) this.#threads.set(id, request.thread);
    const { busy: _, lastLine: __, ...described } = terminal.describe();
    const notes = [folder.note, safe ? undefined : login.note, fullHomeNote(this.#settings.home)].filter(
      (note) => note !== undefined,
    );
    // The new process may not have reached its folder yet.
    return { terminal: { ...described, ...this.#threadOf(id), cwd: folder.path }, notes };
  }

  list(): TerminalStates['terminals'] {
    return this.#running().map((terminal) => ({ ...terminal.describe(), ...this.#threadOf(terminal.id) }));
  }

  /** Also one that has just ended. @throws SpoonError `not-found` */
  get(id: string): Terminal {
    const terminal = this.#terminals.get(id);
    if (terminal === undefined) throw new SpoonError('not-found', 'There is no such terminal.');
    return terminal;
  }

  /** Ends the shell and all it started. Its viewers are told as for any other end. @throws SpoonError `not-found` */
  async end(id: string): Promise<void> {
    const terminal = this.get(id);
    if (!terminal.ended) await endProcesses(terminal.pid, `${markerName}=${id}`);
  }

  async close(): Promise<void> {
    for (const timer of this.#forgetting) clearTimeout(timer);
    await Promise.all(this.#running().map((terminal) => this.end(terminal.id)));
    for (const terminal of this.#terminals.values()) terminal.close();
  }

  #threadOf(id: string): { thread?: string } {
    const thread = this.#threads.get(id);
    return thread === undefined ? {} : { thread };
  }

  #running(): Terminal[] {
    return [...this.#terminals.values()].filter((terminal) => !terminal.ended);
  }

  #onExit(id: string): void {
    const timer = setTimeout(() => {
      this.#forgetting.delete(timer);
      this.#terminals.get(id)?.close();
      this.#terminals.delete(id);
      this.#threads.delete(id);
    }, keepEndedMs);
    this.#forgetting.add(timer);
  }
}
