import { SpoonError } from './errors.ts';

const maxPathBytes = 4096;
const maxNameBytes = 255;
const encoder = new TextEncoder();

/**
 * A path of any file in the home, relative to it; empty for the home itself. Wider than the rules for dotfiles
 * (`homePath.ts`): a checkout may hold every name that Linux knows. Strict in where it leads: never up, never elsewhere.
 * @throws SpoonError `path-…`, `invalid-encoding` for a lone surrogate
 */
export function checkFilePath(text: string): string {
  if (text === '') return text;
  if (!text.isWellFormed()) throw new SpoonError('invalid-encoding');
  if (text.includes('\0')) throw new SpoonError('path-control-char');
  if (text.startsWith('/')) throw new SpoonError('path-absolute');
  const names = text.split('/');
  if (names.includes('..')) throw new SpoonError('path-traversal');
  if (names.some((name) => name === '' || name === '.')) throw new SpoonError('path-not-canonical');
  if (names.some((name) => encoder.encode(name).length > maxNameBytes)) throw new SpoonError('path-segment-too-long');
  if (encoder.encode(text).length > maxPathBytes) throw new SpoonError('path-too-long');
  return text;
}
