import type { StartedCommand } from '../../protocol/boxd.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { maxArgumentBytes, maxArguments } from '../../protocol/limits.ts';
import { loginEnvironment } from '../processes/loginEnvironment.ts';
import { findWorkingFolder } from '../processes/workingFolder.ts';
import type { Settings } from '../settings.ts';
import { Command } from './command.ts';
import { makePipes } from './realPipes.ts';

/** How long a prepared command waits for its viewer: as long as the viewer's ticket. */
const unattachedMs = 30_000;
const maxCommands = 64;
const markerName = 'SPOON_COMMAND_ID';

/** What `StartCommand` of protocol/boxd.ts says, read by hand. */
export interface CommandRequest {
  readonly id: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Commands without a terminal, by id: prepared, then started by their one viewer. */
export class Commands {
  readonly #settings: Settings;
  readonly #prepared = new Map<string, { command: Command; timer: NodeJS.Timeout }>();
  readonly #viewed = new Set<Command>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get runningCount(): number {
    let count = 0;
    for (const command of this.#viewed) if (command.running) count++;
    return count;
  }

  /** @throws SpoonError `command-invalid`, `request-invalid`, `too-many-requests` */
  async prepare(request: CommandRequest): Promise<StartedCommand> {
    const { id, argv } = request;
    if (argv.length === 0 || argv[0] === '') throw new SpoonError('command-invalid', 'It has no program.');
    if (argv.length > maxArguments) throw new SpoonError('command-invalid', `More than ${maxArguments} arguments.`);
    if (argv.some((argument) => Buffer.byteLength(argument) > maxArgumentBytes)) {
      throw new SpoonError('command-invalid', `An argument is longer than ${maxArgumentBytes} bytes.`);
    }
    if (this.#prepared.has(id)) throw new SpoonError('request-invalid', 'There is a command of this id.');
    if (this.#prepared.size + this.#viewed.size >= maxCommands) throw new SpoonError('too-many-requests');
    const folder = findWorkingFolder(this.#settings.home, request.cwd);
    const environment = loginEnvironment(this.#settings, {
      shell: this.#settings.shell,
      extra: request.environment,
      marker: { [markerName]: id, PWD: folder.path },
    });
    const pipes = await makePipes();
    const spec = { argv, cwd: folder.path, environment, pipes };
    const command = new Command(spec, `${markerName}=${id}`, () => this.#viewed.delete(command));
    const timer = setTimeout(() => {
      this.#prepared.delete(id);
      void command.end();
    }, unattachedMs);
    this.#prepared.set(id, { command, timer });
    return { notes: folder.note === undefined ? [] : [folder.note] };
  }

  /** @throws SpoonError `not-found` */
  check(id: string): void {
    if (!this.#prepared.has(id)) {
      throw new SpoonError('not-found', 'There is no such command, or it has its viewer already.');
    }
  }

  /** Hands the command to its one viewer; `undefined` for a second one. */
  take(id: string): Command | undefined {
    const entry = this.#prepared.get(id);
    if (entry === undefined) return undefined;
    clearTimeout(entry.timer);
    this.#prepared.delete(id);
    this.#viewed.add(entry.command);
    return entry.command;
  }

  async close(): Promise<void> {
    for (const { command, timer } of this.#prepared.values()) {
      clearTimeout(timer);
      await command.end();
    }
    this.#prepared.clear();
    await Promise.all([...this.#viewed].map((command) => command.end()));
  }
}
