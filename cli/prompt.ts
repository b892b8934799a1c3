import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { type CommandLine, UsageError } from './commandLine.ts';

/** Asks in the terminal; `hidden` shows nothing of what is typed or pasted. @throws UsageError when it is cancelled */
export async function ask(line: CommandLine, question: string, options: { hidden?: boolean } = {}): Promise<string> {
  const hidden = options.hidden === true;
  // readline echoes to its output; nowhere, for a secret.
  const output = hidden ? new Writable({ write: (_chunk, _encoding, done) => done() }) : line.stderr;
  const reader = createInterface({ input: line.stdin, output, terminal: true, historySize: 0 });
  // Only now, with the terminal's own echo off: somebody may paste as soon as the question is there.
  line.stderr.write(question);
  const cancel = new AbortController();
  reader.on('SIGINT', () => cancel.abort());
  reader.on('close', () => cancel.abort());
  try {
    return (await reader.question('', { signal: cancel.signal })).trim();
  } catch {
    throw new UsageError('Cancelled. Nothing was changed.');
  } finally {
    reader.close();
    if (hidden) line.stderr.write('\n');
  }
}
