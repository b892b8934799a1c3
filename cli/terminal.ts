import { constants } from 'node:os';
import type { Command } from 'commander';
import type { TerminalExit } from '../client/terminalMessages.ts';
import { TerminalSession, type TerminalState, type TerminalViewer } from '../client/terminalSession.ts';
import type { SpoonError } from '../protocol/errors.ts';
import { silentText, tellSilence } from './boxSilence.ts';
import { type CommandLine, columns, formatTime, type JsonOption, UsageError, withJson } from './commandLine.ts';
import { connect } from './connection.ts';
import { EscapeKeys } from './escapeKeys.ts';
import { openNodeSocket } from './nodeSocket.ts';
import { RawTerminal } from './rawTerminal.ts';
import { safeLine } from './safeText.ts';
import { checkThreadName } from './typedPath.ts';

/** Writes to a terminal block, so what is on its way is in front of Ctrl-C: with 128 KiB that stays below 0.1 s. */
const creditBytes = 128 * 1024;
/** A shell that ends so soon after its start has most likely stumbled over a start-up file. */
const stumbledMs = 3_000;
/** An opening that takes longer says what it waits for. */
const quietMs = 500;
const ctrlC = 0x03;
/** Of the last line of a terminal, in a list. */
const shownCharacters = 60;
/** The normal screen, every mode as at first (DECSTR), and nothing on it; the lines above stay, they are the person's. */
const emptyScreen = '\x1b[?1049l\x1b[!p\x1b[H\x1b[2J';

interface TerminalOptions extends JsonOption {
  readonly safe?: true;
  readonly attach?: string;
  readonly list?: true;
  /** False with `--no-wait`. */
  readonly wait: boolean;
}

/** `spoonctl terminal` */
export function addTerminal(program: Command, line: CommandLine): void {
  withJson(
    program.command('terminal').argument('[thread]').description('a shell in your box, in the folder of a thread'),
  )
    .option('--safe', 'without your own start-up files')
    .option('--attach <id>', 'one that runs already')
    .option('--list', 'show those that run')
    .option('--no-wait', 'do not wait for the setup of a box that is just starting')
    .addHelpText('after', help)
    .action(async (thread: string | undefined, options: TerminalOptions) => {
      if (options.list === true) return await list(line, options);
      requireTerminal(line);
      const request = {
        ...(thread === undefined ? {} : { thread: checkThreadName(thread) }),
        ...(options.safe === undefined ? {} : { safe: true }),
        ...(options.wait ? {} : { withoutWaiting: true }),
      };
      const { api } = await connect(line);
      const place = { api, openSocket: openNodeSocket };
      const { attach } = options;
      line.exitCode = await view(line, async (viewer, { signal, say }) => {
        if (attach !== undefined) return TerminalSession.attach(place, attach, viewer);
        const quiet = tellSilence(api, say);
        return await TerminalSession.open(place, request, viewer, signal).finally(quiet);
      });
    });
}

/** @throws UsageError */
export function requireTerminal({ stdin, stdout }: CommandLine): void {
  if (stdin.isTTY && stdout.isTTY) return;
  throw new UsageError('This needs a terminal on stdin and stdout. Without one, use: spoonctl exec -- COMMAND');
}

const help = `
It ends with the exit code of its shell. It survives a lost network and comes back by itself.
Right after Enter: ~. leaves it (it runs on), ~? shows this, ~~ types one ~.

Examples:
  spoonctl terminal
  spoonctl terminal api/main
  spoonctl terminal --list`;

async function list(line: CommandLine, options: TerminalOptions): Promise<void> {
  const { api } = await connect(line);
  const running = await api.call('listTerminals');
  line.print(options, running, () =>
    running.terminals.length === 0
      ? 'No terminals run. Open one with: spoonctl terminal'
      : columns(
          ['ID', 'THREAD', 'TITLE', 'FOLDER', 'OPENED', 'VIEWERS', 'LAST LINE'],
          running.terminals.map(({ id, thread, title, cwd, createdMs, viewers, lastLine }) => [
            id,
            thread ?? '-',
            title,
            cwd,
            formatTime(createdMs),
            viewers,
            lastLine.slice(0, shownCharacters),
          ]),
        ),
  );
}

/** Joins the terminal here to one in a box until either ends. @returns the exit code */
export async function view(
  line: CommandLine,
  open: (
    viewer: TerminalViewer,
    waiting: { signal: AbortSignal; say: (text: string) => void },
  ) => Promise<TerminalSession>,
): Promise<number> {
  const { stdin, stdout, stderr } = line;
  const ended = Promise.withResolvers<number>();
  const cancel = new AbortController();
  const keys = new EscapeKeys();
  let session: TerminalSession | undefined;
  let early = new Uint8Array();
  let isAway = false;
  const raw = new RawTerminal(line);
  const waiting = setTimeout(() => stderr.write('\u001b[2mOpening your terminal…\u001b[0m'), quietMs);
  const opened = (): void => {
    clearTimeout(waiting);
    stderr.write('\r\u001b[2K');
  };

  const typed = (chunk: Uint8Array): void => {
    if (session === undefined) {
      // Nothing that could take a Ctrl-C yet: it means to give up.
      if (chunk.includes(ctrlC)) cancel.abort();
      early = Uint8Array.from([...early, ...chunk]);
      return;
    }
    const { forward, asked } = keys.feed(chunk);
    if (forward.length > 0 && !session.write(forward)) {
      raw.bell();
      // Somebody waits: do not let the next attempt be half a minute away.
      session.retry();
    }
    if (asked === 'help') raw.say('~. leaves the terminal, which runs on. ~~ types one ~.');
    if (asked === 'detach') {
      raw.say(`Left. It runs on: spoonctl terminal --attach ${safeLine(session.id)}`);
      ended.resolve(0);
    }
  };
  const resized = (): void => session?.resize(stdout.columns, stdout.rows);
  const hungUp = (signal: NodeJS.Signals): void => ended.resolve(128 + constants.signals[signal]);
  const viewer: TerminalViewer = {
    columns: stdout.columns,
    rows: stdout.rows,
    creditBytes,
    onOutput: (bytes, endOffset) => stdout.write(bytes, () => session?.acknowledge(endOffset)),
    onState: (state) => {
      if (state.name === 'redraw') {
        stdout.write(emptyScreen);
        isAway = false;
      }
      if (state.name === 'attached' && !state.resumed) opened();
      if (state.name === 'attached' && isAway) raw.say('Back.');
      if (state.name === 'silent') raw.say(`${silentText} Enter ~. leaves this terminal.`);
      if (state.name === 'answering') raw.say('It answers again.');
      if (state.name === 'reconnecting' && !isAway) {
        raw.say(
          'The connection is lost. The terminal runs on and this comes back by itself. Any key: try now. Enter ~. leaves.',
        );
      }
      if (state.name === 'attached' || state.name === 'reconnecting') isAway = state.name === 'reconnecting';
      follow(state, raw, ended);
    },
  };

  stdin.on('data', typed);
  stdout.on('resize', resized);
  process.on('SIGTERM', hungUp).on('SIGHUP', hungUp);
  try {
    session = await open(viewer, { signal: cancel.signal, say: (text) => raw.say(text) });
    for (const note of session.notes) raw.say(safeLine(note));
    typed(early);
    return await ended.promise;
  } catch (error) {
    if (cancel.signal.aborted) return 128 + constants.signals.SIGINT;
    throw error;
  } finally {
    opened();
    raw[Symbol.dispose]();
    session?.detach();
    stdin.off('data', typed);
    stdout.off('resize', resized);
    process.off('SIGTERM', hungUp).off('SIGHUP', hungUp);
  }
}

function follow(state: TerminalState, raw: RawTerminal, ended: PromiseWithResolvers<number>): void {
  switch (state.name) {
    case 'missed':
      raw.say(`${state.bytes} bytes of output came meanwhile and are no longer kept.`);
      return;
    case 'disconnected':
      ended.reject(state.error);
      return;
    case 'ended':
      if (state.exit === undefined) ended.reject(state.error as SpoonError);
      else ended.resolve(exitOf(state.exit, raw));
      return;
    default:
      return;
  }
}

function exitOf({ code, signal, ranMs }: TerminalExit, raw: RawTerminal): number {
  if (ranMs < stumbledMs && (code !== 0 || signal !== null)) {
    raw.say('The shell ended right after its start. One without your start-up files: spoonctl terminal --safe');
  }
  const number = signal === null ? undefined : constants.signals[signal as NodeJS.Signals];
  return code === 0 && number !== undefined ? 128 + number : code;
}
