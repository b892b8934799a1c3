import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dotfile } from '../../protocol/dotfiles.ts';
import { formatFileMode } from '../../protocol/fileMode.ts';
import { type CommandLine, UsageError } from '../commandLine.ts';
import { safeText } from '../safeText.ts';

interface Side {
  readonly label: string;
  readonly bytes: Uint8Array;
  readonly kind: Dotfile['kind'];
  readonly mode: number;
}

const differs = 1;

/**
 * Both sides as diff(1) shows them, modes and kinds in words. Its output is made safe for a terminal: a dotfile may hold
 * anything. @returns the exit code: 0 for the same, 1 otherwise
 */
export async function showDifference(line: CommandLine, { from, to }: { from: Side; to: Side }): Promise<number> {
  const notes: string[] = [];
  if (from.kind !== to.kind) notes.push(`${from.label} is a ${from.kind}, ${to.label} is a ${to.kind}.`);
  else if (from.mode !== to.mode && from.kind !== 'symlink')
    notes.push(`Mode ${formatFileMode(from.mode)} became ${formatFileMode(to.mode)}.`);
  const isSame = Buffer.from(from.bytes).equals(to.bytes);
  if (notes.length > 0) line.stdout.write(`${safeText(notes.join('\n'))}\n`);
  if (!isSame) line.stdout.write(safeText(await diff(from, to)));
  return isSame && notes.length === 0 ? 0 : differs;
}

/** In a folder that nobody else can enter, and gone afterwards: the contents may be secret. */
async function diff(from: Side, to: Side): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'spoonctl-diff-'));
  try {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    await writeFile(a, from.bytes, { mode: 0o600 });
    await writeFile(b, to.bytes, { mode: 0o600 });
    const child = spawn('diff', ['-u', '--label', from.label, '--label', to.label, a, b], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const failed = new Promise<never>((_, reject) =>
      child.once('error', () =>
        reject(new UsageError('There is no diff on this machine to show the difference with.')),
      ),
    );
    const chunks: Buffer[] = [];
    const read = async (): Promise<string> => {
      for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString('utf8');
    };
    return await Promise.race([read(), failed]);
  } finally {
    await rm(folder, { recursive: true });
  }
}
