import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { SpoonError } from '../../protocol/errors.ts';
import {
  clampSize,
  type OpenTerminalRequest,
  type RunCommandRequest,
  type Terminal,
} from '../../protocol/terminals.ts';
import { randomBase62 } from '../../protocol/tokenFormat.ts';
import type { Boxes, BoxUser, RunningBox } from '../boxes/boxes.ts';
import type { HomeSizes } from '../quotas/homeSizes.ts';
import type { Quotas } from '../quotas/quotas.ts';
import { checkArguments } from './commandArguments.ts';
import { plainTerminal, plainText } from './plainTerminal.ts';
import type { TicketGrant, Tickets } from './tickets.ts';

/**
 * Terminals and commands of a user's box, from the outside: which there are and who may reach them. They live in boxd; the
 * service gives them their ids, so a box cannot claim another's, and forgets nothing by a restart: it asks the box again.
 */

/** Who asks, with the token that answers for what is opened. */
export interface Asker {
  readonly userId: string;
  readonly tokenId: string;
}

export interface Opened<T> {
  readonly value: T;
  readonly ticket: string;
  readonly expiresInMs: number;
  readonly notes: string[];
}

export interface TerminalsParts {
  readonly boxes: Pick<Boxes, 'ensure' | 'running' | 'adopted' | 'endUnanswering'>;
  readonly tickets: Tickets;
  readonly quotas: Pick<Quotas, 'limitsOf'>;
  readonly homeSizes: Pick<HomeSizes, 'notesFor'>;
  /** @throws SpoonError `not-found` */
  readonly findUser: (userId: string) => Promise<BoxUser>;
  /** Environment variables for what is started, in a thread or in none. */
  readonly secretsFor: (
    asker: Asker,
    spoon: string | null,
    receiver: { readonly kind: 'terminal' | 'command'; readonly id: string },
  ) => Promise<{
    readonly environment: Record<string, string>;
    readonly secretFiles: Record<string, string>;
    readonly notes: readonly string[];
  }>;
  /**
   * The folder of a thread, by `{spoon}/{branch}`; checked out again where it is missing.
   * @throws SpoonError `thread-unknown`, and what a checkout can meet
   */
  readonly folderOfThread: (box: RunningBox, thread: string, signal?: AbortSignal) => Promise<string>;
}

/** What this process knows to run in a box; of another run of the same user's box nothing is known. */
interface KnownTerminals {
  readonly box: RunningBox;
  readonly started: Set<string>;
  /** Not yet in the box's own list. */
  readonly starting: Set<string>;
  /** The box is being asked by somebody who found it full. */
  asking: Promise<unknown> | undefined;
}

interface Waiting {
  readonly signal: AbortSignal | undefined;
  /** For a setup of the box that takes long. */
  readonly withoutWaiting?: boolean;
}

const idCharacters = 22;
const idPattern = /^[0-9A-Za-z]{22}$/;

export class Terminals {
  readonly #parts: TerminalsParts;
  readonly #known = new Map<string, KnownTerminals>();

  constructor(parts: TerminalsParts) {
    this.#parts = parts;
  }

  /**
   * Starts the box where it is off, then a login shell in it.
   * @throws SpoonError `terminal-limit`, and what {@link Boxes.ensure} and boxd throw
   */
  async open(asker: Asker, request: OpenTerminalRequest, signal?: AbortSignal): Promise<Opened<Terminal>> {
    const waiting = { signal, withoutWaiting: request.withoutWaiting ?? false };
    return this.#inBox(asker, waiting, (box, notes) => this.#open(box, notes, { asker, request, signal }));
  }

  async #open(
    box: RunningBox,
    notes: readonly string[],
    { asker, request, signal }: { asker: Asker; request: OpenTerminalRequest; signal: AbortSignal | undefined },
  ): Promise<Opened<Terminal>> {
    const cwd = await this.#folderFor(box, request, signal);
    const known = this.#knownOf(box);
    const { terminals: most } = this.#parts.quotas.limitsOf(asker.userId);
    const isFull = () => new Set([...known.started, ...known.starting]).size >= most;
    if (isFull()) await this.#learnTogether(box);
    if (isFull()) throw new SpoonError('terminal-limit', `At most ${most}. Close one and try again.`);
    const id = newId();
    // Taken before anything is awaited: of many at once no more than allowed get through.
    known.starting.add(id);
    try {
      const receiver = { kind: 'terminal', id } as const;
      const secrets = await this.#parts.secretsFor(asker, spoonOf(request.thread), receiver);
      const started = await box.boxd.startTerminal({
        id,
        shell: box.user.shell,
        cwd,
        ...clampSize(request),
        safe: request.safe ?? false,
        ...(request.thread === undefined ? {} : { thread: request.thread }),
        environment: secrets.environment,
        secretFiles: secrets.secretFiles,
      });
      // Nobody is there to view it any more, and nobody knows its id.
      if (signal?.aborted) await box.boxd.endTerminal(id);
      signal?.throwIfAborted();
      known.started.add(id);
      return {
        value: plainTerminal(id, { ...started.terminal, busy: false }),
        ...this.#ticket(asker, 'terminal', id),
        notes: [...notes, ...secrets.notes, ...started.notes.map(plainText), ...this.#parts.homeSizes.notesFor(box)],
      };
    } finally {
      known.starting.delete(id);
    }
  }

  /** Those of the running box; none while it is off. */
  async list(userId: string): Promise<Terminal[]> {
    const box = await this.#runningBox(userId);
    return box === undefined ? [] : this.#learn(box);
  }

  /** Ends its process group. @throws SpoonError `not-found`, also for another user's */
  async close(userId: string, id: string): Promise<void> {
    const box = await this.#boxOf(userId, id);
    await box.boxd.endTerminal(id);
    this.#knownOf(box).started.delete(id);
  }

  /**
   * For a further viewer, or the same one after a cut.
   * @throws SpoonError `not-found`, also for another user's; `box-stopped`, where it has ended with the box
   */
  async ticketFor(asker: Asker, id: string): Promise<{ ticket: string; expiresInMs: number }> {
    if ((await this.#runningBox(asker.userId)) === undefined) throw new SpoonError('box-stopped');
    await this.#boxOf(asker.userId, id);
    return this.#ticket(asker, 'terminal', id);
  }

  /**
   * A command without a terminal; boxd runs it once it is attached.
   * @throws SpoonError `command-invalid`, and what {@link Boxes.ensure} and boxd throw
   */
  async prepareCommand(asker: Asker, request: RunCommandRequest, signal?: AbortSignal): Promise<Opened<string>> {
    checkArguments(request.argv);
    return this.#inBox(asker, { signal }, async (box, notes) => {
      const id = newId();
      const { argv } = request;
      const cwd = await this.#folderFor(box, request, signal);
      const secrets = await this.#parts.secretsFor(asker, spoonOf(request.thread), { kind: 'command', id });
      const { environment, secretFiles } = secrets;
      const started = await box.boxd.startCommand({ id, argv, cwd, environment, secretFiles });
      return {
        value: id,
        ...this.#ticket(asker, 'command', id),
        notes: [...notes, ...secrets.notes, ...started.notes.map(plainText)],
      };
    });
  }

  /** The box's end of a WebSocket that a ticket opened. @throws SpoonError `box-stopped`, `not-found`, `box-…` */
  async attach(userId: string, target: { kind: 'terminal' | 'command'; id: string }): Promise<Duplex> {
    const box = await this.#runningBox(userId);
    if (box === undefined) throw new SpoonError('box-stopped', 'Open a terminal to start it again.');
    const { boxd, pulse } = box;
    const socket = await (target.kind === 'terminal' ? boxd.attachTerminal(target.id) : boxd.attachCommand(target.id));
    // Whoever looks at it is told when the box no longer answers.
    socket.once('close', pulse.attend());
    return socket;
  }

  /** @throws SpoonError `not-found` unless it is a running one of this user */
  async require(userId: string, id: string): Promise<void> {
    await this.#boxOf(userId, id);
  }

  /** For a guest: the box's end, whose messages are read, and the size that the terminal has. @throws SpoonError `not-found` */
  async view(ownerId: string, id: string): Promise<{ box: WebSocket; size: { columns: number; rows: number } }> {
    const box = await this.#boxOf(ownerId, id);
    const size = (await this.#learn(box)).find((terminal) => terminal.id === id);
    if (size === undefined) throw new SpoonError('not-found');
    return { box: await box.boxd.viewTerminal(id), size };
  }

  #folderFor(
    box: RunningBox,
    { cwd = '', thread }: { cwd?: string; thread?: string },
    signal: AbortSignal | undefined,
  ): Promise<string> | string {
    if (thread === undefined) return cwd;
    if (cwd !== '') throw new SpoonError('request-invalid', 'Give cwd or thread, not both.');
    return this.#parts.folderOfThread(box, thread, signal);
  }

  /** A box whose daemon died a moment ago still looks as if it ran: it is replaced, and asked once more. */
  async #inBox<T>(
    asker: Asker,
    waiting: Waiting,
    work: (box: RunningBox, notes: readonly string[]) => Promise<T>,
  ): Promise<T> {
    const { boxes } = this.#parts;
    const { box, notes } = await this.#box(asker, waiting);
    try {
      return await box.pulse.whileAnswering(() => work(box, notes));
    } catch (error) {
      if (!(error instanceof SpoonError && error.code === 'box-unavailable')) throw error;
      await boxes.endUnanswering(box);
      if (boxes.running(asker.userId) === box) throw error;
    }
    const fresh = await this.#box(asker, waiting);
    return work(fresh.box, fresh.notes);
  }

  async #box(
    { userId }: Asker,
    { signal, withoutWaiting = false }: Waiting,
  ): Promise<{ box: RunningBox; notes: string[] }> {
    const { boxes, findUser } = this.#parts;
    const before = boxes.running(userId);
    // Also where one runs: its dotfiles may still be on the way, or its daemon may have died unseen.
    const box = await boxes.ensure(await findUser(userId), signal, { withoutWaiting });
    return { box, notes: before === undefined ? ['Your box was started.'] : [] };
  }

  /** After a restart of the service a slow box is found late, and its terminals must not be taken for ended. */
  async #runningBox(userId: string): Promise<RunningBox | undefined> {
    await this.#parts.boxes.adopted(userId);
    return this.#parts.boxes.running(userId);
  }

  async #boxOf(userId: string, id: string): Promise<RunningBox> {
    const box = await this.#runningBox(userId);
    if (box === undefined || !idPattern.test(id)) throw new SpoonError('not-found');
    const { started } = this.#knownOf(box);
    if (!started.has(id)) await this.#learn(box);
    if (!started.has(id)) throw new SpoonError('not-found');
    return box;
  }

  #knownOf(box: RunningBox): KnownTerminals {
    const { userId } = box.user;
    const known = this.#known.get(userId);
    if (known?.box === box) return known;
    const fresh: KnownTerminals = { box, started: new Set(), starting: new Set(), asking: undefined };
    this.#known.set(userId, fresh);
    return fresh;
  }

  /** Asks the box. What it says is only ever held against its own user. */
  async #learn(box: RunningBox): Promise<Terminal[]> {
    const { started } = this.#knownOf(box);
    // One that comes while the box is asked may be missing in its answer.
    const before = [...started];
    const { terminals } = await box.boxd.terminals();
    const listed = terminals.filter(({ id }) => idPattern.test(id));
    const present = new Set(listed.map(({ id }) => id));
    for (const id of before) if (!present.has(id)) started.delete(id);
    for (const id of present) started.add(id);
    return listed.map((terminal) => plainTerminal(terminal.id, terminal));
  }

  /** Fifty opens of which most are too many ask the box once, and leave its connections to those that are not. */
  async #learnTogether(box: RunningBox): Promise<void> {
    const known = this.#knownOf(box);
    known.asking ??= this.#learn(box).finally(() => {
      known.asking = undefined;
    });
    await known.asking;
  }

  #ticket({ userId, tokenId }: Asker, kind: TicketGrant['kind'], id: string) {
    return this.#parts.tickets.issue({ kind, id, userId, tokenId });
  }
}

/** `{spoon}/{branch}` */
function spoonOf(thread: string | undefined): string | null {
  return thread?.split('/')[0] ?? null;
}

function newId(): string {
  return randomBase62(idCharacters, (count) => crypto.getRandomValues(new Uint8Array(count)));
}
