import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** O_CLOEXEC of open(2) on Linux, as `/proc/self/fdinfo` has it; node:fs does not name it. */
const closeOnExec = 0o2000000;
const lastStandardStream = 2;

/**
 * Closes what the process that started this one has left open in it. Boxes of the process engine would inherit it, and an
 * open folder of the host is a way out of a box. Node marks descriptors up to 15 to be closed by itself (libuv's
 * `uv_disable_stdio_inheritance`), and all that it opens.
 */
export function closeInheritedFiles(): void {
  for (const name of readdirSync('/proc/self/fd')) {
    const descriptor = Number(name);
    if (descriptor <= lastStandardStream || !isInherited(descriptor)) continue;
    closeSync(descriptor);
  }
}

function isInherited(descriptor: number): boolean {
  let info: string;
  try {
    info = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8');
  } catch (error) {
    // The list itself was open while it was read.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  const flags = Number.parseInt(/^flags:\s+([0-7]+)$/m.exec(info)?.[1] ?? '', 8);
  return (flags & closeOnExec) === 0;
}
