import { CommandSession } from '../../client/commandSession.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { Connection } from '../connection.ts';
import { openNodeSocket } from '../nodeSocket.ts';

export interface BoxProgram {
  /** For sh; `$1` and on are `args`. */
  readonly script: string;
  readonly args: readonly string[];
  /** Where it throws, the program is ended and that is thrown. */
  readonly input?: AsyncIterable<Uint8Array>;
  /** `taken` says that there is room for more. */
  readonly onOutput: (bytes: Uint8Array, taken: () => void) => void;
  readonly signal: AbortSignal;
}

export interface BoxProgramEnd {
  readonly code: number;
  /** What it complained about, the first of it. */
  readonly complaints: readonly string[];
}

const maxComplaintBytes = 64 * 1024;

/** What a person's own settings must not change: other programs of these names, other words, other defaults. */
const preamble = `
PATH=/usr/bin:/bin:/usr/local/bin; LC_ALL=C; export PATH LC_ALL
unset TAR_OPTIONS TAPE POSIXLY_CORRECT
for needed in tar find cp diff xargs; do
  command -v "$needed" >/dev/null || { echo "The box has no $needed." >&2; exit 127; }
done
cd ~ || exit 2
`;

/**
 * Runs a script in the box, as its user: nothing of a home is ever touched from outside. It ends with this process.
 * @throws SpoonError; what `input` throws; the reason of `signal`
 */
export async function runInBox({ api }: Connection, program: BoxProgram): Promise<BoxProgramEnd> {
  const { script, args, input, onOutput, signal } = program;
  const broken = new AbortController();
  const complaints: Uint8Array[] = [];
  let complaintBytes = 0;
  const session: CommandSession = await CommandSession.start(
    { api, openSocket: openNodeSocket },
    { argv: ['sh', '-c', preamble + script, 'spoonctl', ...args] },
    {
      onOutput(channel, bytes, endOffset) {
        const taken = (): void => session.acknowledge(endOffset);
        if (channel === 'stdout') return onOutput(bytes, taken);
        if (complaintBytes < maxComplaintBytes) complaints.push(bytes.slice());
        complaintBytes += bytes.length;
        taken();
      },
    },
    AbortSignal.any([signal, broken.signal]),
  );
  let isOver = false;
  const feed = async (): Promise<void> => {
    for await (const chunk of input ?? []) {
      if (isOver) return;
      await session.writeStdin(chunk);
    }
    session.endStdin();
  };
  feed().catch((error: unknown) => broken.abort(error));
  try {
    const { code, detail } = await session.exit;
    const lines = Buffer.concat(complaints).toString().split('\n');
    return { code, complaints: [...(detail === undefined ? [] : [detail]), ...lines].filter((line) => line !== '') };
  } finally {
    isOver = true;
  }
}

/** What a failure of it means for a person. */
export function programFailure({ code, complaints }: BoxProgramEnd, what: string): SpoonError {
  const full = complaints.find((line) => /No space left on device|Disk quota exceeded/.test(line));
  if (full !== undefined) {
    return new SpoonError('insufficient-storage', `${what} Delete what is large; spoonctl home usage shows it.`);
  }
  const said = complaints.slice(0, 3).map((line) => line.replace(/^[\w/]+: /, ''));
  return new SpoonError('home-not-writable', `${what} ${said.join(' ') || `The box says ${code}.`}`);
}
