import { constants } from 'node:os';
import type { Command } from 'commander';
import { CommandSession, type CommandSignal } from '../client/commandSession.ts';
import { SpoonError } from '../protocol/errors.ts';
import type { RunCommandRequest } from '../protocol/terminals.ts';
import { tellSilence } from './boxSilence.ts';
import type { CommandLine } from './commandLine.ts';
import { connect } from './connection.ts';
import { openNodeSocket } from './nodeSocket.ts';
import { systemReason } from './systemReason.ts';
import { checkThreadName } from './typedPath.ts';

/** A third Ctrl-C is for a command that does not listen, or a network that does not carry. */
const patience = 3;
const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const satisfies readonly CommandSignal[];

/** `spoonctl exec` */
export function addExec(program: Command, line: CommandLine): void {
  program
    .command('exec')
    .argument('<command...>')
    .description('run a command in your box, without a terminal')
    .option('--thread <spoon/branch>', 'in the folder of this thread; the home when left out')
    .passThroughOptions()
    .addHelpText('after', help)
    .action(async (argv: string[], { thread }: { thread?: string }) => {
      const request = thread === undefined ? { argv } : { argv, thread: checkThreadName(thread) };
      line.exitCode = await run(line, request);
    });
}

const help = `
stdin, stdout, stderr and the exit code are the command's. Ctrl-C is passed on; the third one gives up.

Examples:
  spoonctl exec -- bash -lic 'echo $PATH'
  tar c src | spoonctl exec --thread api/main -- tar x`;

async function run(line: CommandLine, request: RunCommandRequest): Promise<number> {
  const { api } = await connect(line);
  const cancel = new AbortController();
  let session: CommandSession | undefined;
  let interrupts = 0;
  const passOn = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGINT') interrupts++;
    if (session === undefined || interrupts >= patience) cancel.abort(signal);
    else session.signal(signal as CommandSignal);
  };
  for (const signal of passedOn) process.on(signal, passOn);
  // For a person only: a program gets the command's own stderr and nothing else.
  const quiet = line.stderr.isTTY ? tellSilence(api, (text) => line.note(text)) : () => undefined;
  try {
    session = await CommandSession.start(
      { api, openSocket: openNodeSocket },
      request,
      {
        onOutput: (channel, bytes, endOffset) => line[channel].write(bytes, () => session?.acknowledge(endOffset)),
      },
      cancel.signal,
    );
    quiet();
    if (line.stderr.isTTY) for (const note of session.notes) line.note(note);
    void feed(line, session);
    const { code, detail } = await session.exit;
    if (detail !== undefined) line.note(detail);
    return code;
  } catch (error) {
    if (cancel.signal.aborted) return 128 + constants.signals[cancel.signal.reason as NodeJS.Signals];
    throw error;
  } finally {
    quiet();
    for (const signal of passedOn) process.off(signal, passOn);
  }
}

/** Passes stdin on until it or the command ends. A stdin that cannot be read is an empty one, as for any program. */
async function feed(line: CommandLine, session: CommandSession): Promise<void> {
  try {
    for await (const chunk of line.stdin as AsyncIterable<Buffer>) await session.writeStdin(chunk);
  } catch (error) {
    if (error instanceof SpoonError) return;
    line.note(`stdin cannot be read: ${systemReason(error)}. The command gets none.`);
  }
  session.endStdin();
}
