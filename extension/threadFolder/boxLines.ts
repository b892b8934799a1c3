import { type CommandPlace, CommandSession } from '../../client/commandSession.ts';

/** Enough for any line that is shown; a minified file has lines of megabytes. */
const maxLineLength = 2_000;

/**
 * Runs a command in the box and hands over its output line by line.
 * @param onLine returns false when it has enough: the command is ended
 * @returns the exit code; null where it was ended because there was enough
 */
export async function readLines(
  place: CommandPlace,
  request: { argv: string[]; cwd: string },
  onLine: (line: string) => boolean,
  signal: AbortSignal,
): Promise<{ code: number | null; errors: string }> {
  const enough = new AbortController();
  const either = AbortSignal.any([signal, enough.signal]);
  const [out, err] = [new TextDecoder(), new TextDecoder()];
  let [pending, errors] = ['', ''];
  const take = (text: string): void => {
    const lines = (pending + text).split('\n');
    pending = (lines.pop() ?? '').slice(0, maxLineLength);
    for (const line of lines) {
      if (enough.signal.aborted) return;
      if (!onLine(line.slice(0, maxLineLength))) enough.abort();
    }
  };
  const session = await CommandSession.start(
    place,
    request,
    {
      onOutput: (channel, bytes, endOffset) => {
        if (channel === 'stdout') take(out.decode(bytes, { stream: true }));
        else if (errors.length < maxLineLength) errors += err.decode(bytes, { stream: true });
        session?.acknowledge(endOffset);
      },
    },
    either,
  );
  session.endStdin();
  try {
    const { code } = await session.exit;
    if (pending !== '') onLine(pending);
    return { code, errors };
  } catch (error) {
    signal.throwIfAborted();
    if (enough.signal.aborted) return { code: null, errors };
    throw error;
  }
}
