import { accessSync, constants, readFileSync } from 'node:fs';
import { SpoonError } from '../../protocol/errors.ts';

/** getusershell(3) without the file, and where merged-/usr systems keep them. */
const shellsWithoutFile = ['/bin/sh', '/bin/bash', '/usr/bin/sh', '/usr/bin/bash'];
const fallbacks = ['/bin/bash', '/usr/bin/bash', '/bin/sh'];

/**
 * The shell to start: the wanted one where the image lists it in /etc/shells and has it, otherwise bash or sh with a note.
 * A terminal in another shell is of more use than none.
 * @throws SpoonError `request-invalid` for something that is not an absolute plain path
 */
export function findLoginShell(wanted: string): { shell: string; note?: string } {
  if (!/^(\/[A-Za-z0-9._+-]+)+$/.test(wanted) || wanted.split('/').includes('..') || wanted.split('/').includes('.')) {
    throw new SpoonError('request-invalid', 'shell must be an absolute path in its plain form.');
  }
  if (listedShells().includes(wanted) && isExecutable(wanted)) return { shell: wanted };
  const shell = fallbacks.find(isExecutable);
  if (shell === undefined) throw new SpoonError('image-unsuitable', 'It has no shell.');
  return { shell, note: `The box has no login shell ${wanted}, so this is ${shell}.` };
}

function listedShells(): string[] {
  try {
    const lines = readFileSync('/etc/shells', 'utf8').split('\n');
    return lines.map((line) => line.replace(/#.*/, '').trim()).filter((line) => line.startsWith('/'));
  } catch {
    return shellsWithoutFile;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** How to start it: as a login shell, or without any of the user's own files for the day when they are broken. */
export function shellArguments(shell: string, safe: boolean): string[] {
  if (!safe) return ['-l'];
  return shell.endsWith('/bash') ? ['--noprofile', '--norc', '-i'] : ['-i'];
}

/** A safe terminal is bash where there is one, whatever the user's shell is: its start-up files can be left out whole. */
export function findSafeShell(): string {
  return fallbacks.find(isExecutable) ?? '/bin/sh';
}

export const safePrompt = '\\u safe \\w\\$ ';
