import type { RepositoryPreview } from '../../protocol/repository.ts';
import { gitError } from '../git/gitErrors.ts';
import type { RunGit } from './gitRunner.ts';

/** What somebody reads before they agree to it; `git diff` in the box has the rest. */
const maxDiffBytes = 128 * 1024;

interface Compared {
  /** The checkout, which has `before`. */
  readonly folder: string;
  readonly before: string;
  /** Where `commit` is. */
  readonly objects: string;
  readonly commit: string;
}

/** Between two commits, as `git diff` says it; in whole lines. @throws SpoonError what git's words mean */
export async function diffBetween(
  run: RunGit,
  { folder, before, objects, commit }: Compared,
): Promise<NonNullable<RepositoryPreview['diff']>> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  // No program that a repository's attributes or somebody's configuration name takes part.
  const plain = ['--no-color', '--no-ext-diff', '--no-textconv', '--no-renames'];
  const { code, stderr } = await run(objects, ['diff', ...plain, before, commit, '--'], {
    environment: { GIT_ALTERNATE_OBJECT_DIRECTORIES: `${folder}/.git/objects` },
    onOutput: (chunk) => {
      pieces.push(chunk);
      bytes += chunk.length;
      return bytes <= maxDiffBytes;
    },
  });
  if (code !== 0 && code !== null) throw gitError(stderr);
  const said = Buffer.concat(pieces);
  const isCut = said.length > maxDiffBytes;
  const whole = isCut ? said.subarray(0, said.lastIndexOf('\n', maxDiffBytes) + 1) : said;
  return { text: whole.toString('utf8'), isCut };
}
