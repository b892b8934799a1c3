import type { ApiClient } from '../../client/apiClient.ts';
import { ColourFilter } from '../../client/colourFilter.ts';
import { JobLog } from '../../client/jobLog.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { Job } from '../../protocol/jobs.ts';
import { plainLog } from '../../protocol/plainText.ts';
import { cancelOnSignal } from '../cancelOnSignal.ts';
import type { CommandLine, JsonOption } from '../commandLine.ts';
import { exitCodes } from '../exitCodes.ts';
import { openNodeSocket } from '../nodeSocket.ts';
import { changesText, shortId, stateText } from './jobText.ts';

const interruptedExitCode = 130;
const maxHeldLength = 64 * 1024;

/** As it came; with its colours and nothing else; or as plain text, line by line. */
export type LogStyle = 'raw' | 'colours' | 'plain';

interface FollowOptions extends JsonOption {
  readonly style: LogStyle;
}

/**
 * Shows what a job prints until it ends, and says how. Ctrl-C ends the showing and not the job. With `--json` the job as it ended is
 * all that is printed.
 */
export async function followLog(
  line: CommandLine,
  api: ApiClient,
  job: Job,
  { style, json }: FollowOptions,
): Promise<void> {
  const left = cancelOnSignal();
  const show = json === true ? () => undefined : styles[style](line);
  const { promise, resolve, reject } = Promise.withResolvers<Job | undefined>();
  let told = '';
  const log = new JobLog({
    api,
    openSocket: openNodeSocket,
    id: job.id,
    listener: {
      onOutput: (bytes, endOffset) => {
        show(bytes);
        // Once the terminal or the pipe has taken it, so that a slow one holds back what comes, and memory stays flat.
        line.stdout.write('', () => log.acknowledge(endOffset));
      },
      onOmitted: (bytes) => line.note(`${bytes} bytes before this are not kept.`),
      onJob: (now) => {
        const text = stateText(now);
        if (text !== told && line.stderr.isTTY) line.note(`Job ${shortId(now)}: ${text}.`);
        told = text;
      },
      onEnd: resolve,
      onState: (state) => {
        if (state.name !== 'disconnected') return;
        const { ending } = state;
        if (ending.by === 'refusal') reject(ending.error);
        else if (ending.by === 'close') reject(new SpoonError('connection-lost', ending.reason));
      },
    },
  });
  left.signal.addEventListener('abort', () => resolve(undefined), { once: true });
  try {
    log.connect();
    const ended = await promise;
    if (ended === undefined) {
      line.exitCode = interruptedExitCode;
      const id = shortId(job);
      line.note(`The job runs on. Watch it: spoonctl jobs log ${id} --follow. End it: spoonctl jobs cancel ${id}`);
      return;
    }
    show(undefined);
    line.exitCode = ended.state === 'succeeded' ? exitCodes.ok : exitCodes.refused;
    if (json) line.print({ json }, ended, () => '');
    else line.note(endText(ended));
  } finally {
    log.close();
    left.close();
  }
}

function endText(job: Job): string {
  const changes = job.changes === null ? '' : ` Changes: ${changesText(job)}.`;
  return `Job ${shortId(job)}: ${stateText(job)}.${job.detail === null ? '' : ` ${job.detail}`}${changes}`;
}

function raw(line: CommandLine): (bytes: Uint8Array | undefined) => void {
  return (bytes) => {
    if (bytes !== undefined) line.stdout.write(bytes);
  };
}

function coloured(line: CommandLine): (bytes: Uint8Array | undefined) => void {
  const filter = new ColourFilter();
  return (bytes) => {
    line.stdout.write(filter.add(bytes));
  };
}

/** Whole lines, or as much of one as is worth waiting for; what is left when it ends, too. */
function plain(line: CommandLine): (bytes: Uint8Array | undefined) => void {
  const decoder = new TextDecoder();
  let held = '';
  return (bytes) => {
    held += bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    const isAll = bytes === undefined || held.length > maxHeldLength;
    const end = isAll ? held.length : held.lastIndexOf('\n') + 1;
    if (end === 0) return;
    line.stdout.write(plainLog(held.slice(0, end)));
    held = held.slice(end);
  };
}

const styles = { raw, colours: coloured, plain } as const satisfies Record<LogStyle, typeof raw>;
