import { SpoonError } from './errors.ts';

/** Permission bits only: set-user-id, set-group-id and sticky never enter a home through Spoon. */
const maxMode = 0o777;
export const defaultFileMode = 0o644;
export const defaultDirectoryMode = 0o755;

/** Three octal digits, or four with a leading zero: `644`, `0755`. @throws SpoonError `mode-invalid` */
export function parseFileMode(text: string): number {
  if (!/^0?[0-7]{3}$/.test(text)) throw new SpoonError('mode-invalid', 'Give three octal digits, such as 644 or 755.');
  return checkFileMode(Number.parseInt(text, 8));
}

/** @throws SpoonError `mode-invalid` for a mode that its owner could not read, or with other bits than 0777 */
export function checkFileMode(mode: number): number {
  if (!Number.isInteger(mode) || mode < 0 || mode > maxMode) throw new SpoonError('mode-invalid');
  if ((mode & 0o400) === 0) throw new SpoonError('mode-invalid', 'The owner must be able to read it.');
  return mode;
}

export function formatFileMode(mode: number): string {
  return mode.toString(8).padStart(3, '0');
}

/**
 * The mode that people expect where none was given: private below `.ssh` and `.gnupg`, executable with a shebang.
 * @param head the first bytes of the content
 */
export function expectedFileMode(path: string, head: Uint8Array): number {
  if (/^\.(ssh|gnupg)\//.test(path)) return 0o600;
  return head[0] === 0x23 && head[1] === 0x21 ? 0o755 : defaultFileMode;
}

export function expectedDirectoryMode(path: string): number {
  return /^\.(ssh|gnupg)(\/|$)/.test(path) ? 0o700 : defaultDirectoryMode;
}
