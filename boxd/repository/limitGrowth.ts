import { type Dirent, lstatSync, readdirSync, rmSync } from 'node:fs';
import { SpoonError } from '../../protocol/errors.ts';

/** git has no limit of its own for what it receives; what it writes is looked at this often. */
const lookMs = 250;

export interface GrowthLimit extends Disposable {
  /** Aborted with `repository-too-large`. */
  readonly signal: AbortSignal;
  /** The last look, at what came between two. @returns bytes that came in all @throws SpoonError `repository-too-large` */
  check(): number;
}

/**
 * Ended, git leaves what it had received beside: that is removed.
 * @param folder need not be there yet
 * @param limits `maxBytes` in all, of which `broughtBytes` came before
 */
export function limitGrowth(
  folder: string,
  { maxBytes, broughtBytes = 0 }: { maxBytes: number; broughtBytes?: number },
): GrowthLimit {
  const abort = new AbortController();
  const before = new Set(list(folder).map(pathOf));
  const sizeBefore = sizeOf(folder);
  let bytes = broughtBytes;
  const look = (): void => {
    bytes = broughtBytes + Math.max(0, sizeOf(folder) - sizeBefore);
    if (abort.signal.aborted || bytes <= maxBytes) return;
    const limit = `It was ended at ${Math.round(maxBytes / 1024 / 1024)} MiB. Keep large files elsewhere.`;
    abort.abort(new SpoonError('repository-too-large', limit));
  };
  const timer = setInterval(look, lookMs);
  return {
    signal: abort.signal,
    check() {
      look();
      abort.signal.throwIfAborted();
      return bytes;
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      if (!abort.signal.aborted) return;
      const left = list(folder).filter((entry) => entry.isFile() && entry.name.startsWith('tmp_'));
      for (const path of left.map(pathOf)) if (!before.has(path)) rmSync(path, { force: true });
    },
  };
}

function pathOf({ parentPath, name }: Dirent): string {
  return `${parentPath}/${name}`;
}

function sizeOf(folder: string): number {
  let bytes = 0;
  for (const entry of list(folder)) {
    if (entry.isFile()) bytes += lstatSync(pathOf(entry), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}

/** git makes and removes files and folders in it meanwhile. */
function list(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
