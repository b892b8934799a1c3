import { SpoonError } from './errors.ts';

const maxBranchBytes = 255;
const encoder = new TextEncoder();
// biome-ignore lint/suspicious/noControlCharactersInRegex: git-check-ref-format(1) rule 4
const forbiddenCharacters = /[\u0000-\u0020\u007f~^:?*[\\]/;

/**
 * A branch name by git's rules (git-check-ref-format(1), `--branch` without `@{-N}`), and never one that a command line
 * could take for an option. Also used for the folder `~/Code/{spoon}/{branch}`, hence the length of a file name.
 * @throws SpoonError `branch-invalid`
 */
export function checkBranchName(name: string): string {
  const refuse = (why: string): never => {
    throw new SpoonError('branch-invalid', why);
  };
  if (name === '' || name === '@' || name === 'HEAD') refuse('The name is reserved.');
  if (!name.isWellFormed() || forbiddenCharacters.test(name)) refuse('It holds a character that git refuses.');
  if (name.startsWith('-')) refuse('It starts with a dash.');
  if (name.startsWith('refs/')) refuse('Leave out refs/.');
  if (name.includes('..') || name.includes('@{')) refuse('It holds .. or @{.');
  if (name.startsWith('/') || name.endsWith('/') || name.includes('//')) refuse('It has an empty part.');
  if (name.endsWith('.')) refuse('It ends with a dot.');
  if (name.split('/').some((part) => part.startsWith('.') || part.endsWith('.lock'))) {
    refuse('A part of it starts with a dot or ends with .lock.');
  }
  if (encoder.encode(name).length > maxBranchBytes) refuse(`It is longer than ${maxBranchBytes} bytes.`);
  return name;
}
