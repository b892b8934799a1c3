import { readFileSync } from 'node:fs';
import { SpoonError } from '../../protocol/errors.ts';
import type { PlannedSetup, RepositoryPreview } from '../../protocol/repository.ts';
import { repositoryFolder } from '../../protocol/setupScript.ts';
import { gitError } from '../git/gitErrors.ts';
import { lookAtCheckout } from './checkout.ts';
import { environmentHash, hashFile } from './environmentHash.ts';
import { type FoundSetup, findSetup } from './findSetup.ts';
import type { CheckoutParts, RunGit } from './gitRunner.ts';
import { planLinks } from './links.ts';
import { overlayPaths } from './overlayPaths.ts';
import { diffBetween } from './previewDiff.ts';
import { recogniseManager } from './recogniseManager.ts';
import type { RunRequest } from './runRequest.ts';
import { readSpoonFile } from './spoonFiles.ts';
import { submodulesOf } from './submodules.ts';

const maxListed = 1000;
const maxScriptBytes = 64 * 1024;
/** Less than is kept of what git says, so that a longer list is never taken for a whole one. */
const maxTreeCharacters = 1_000_000;

/** What a run of this request would do; looks only. @throws SpoonError as `bringCheckout` */
export async function previewRun(parts: CheckoutParts, request: RunRequest): Promise<RepositoryPreview> {
  const { home } = parts;
  const folder = `${home}/${repositoryFolder}`;
  return lookAtCheckout(parts, request, async ({ root, commit, objects, isKnown, run }) => {
    const found = findSetup(root, request.setup);
    const setup = plannedSetup(root, request, found);
    const before = isKnown ? await headOf(run, folder) : null;
    const files = changesBetween(
      before === null ? new Map() : await treeOf(run, folder, before),
      await treeOf(run, objects, commit),
    );
    const links = planLinks(home, setup.kind === 'links' ? root : undefined, overlayPaths(home));
    return {
      commit,
      before,
      wouldRun: readSpoonFile(home, hashFile)?.trim() !== environmentHash(request, commit, found),
      setup,
      files: files.slice(0, maxListed),
      moreFiles: Math.max(0, files.length - maxListed),
      ...(before === null || before === commit
        ? {}
        : { diff: await diffBetween(run, { folder, before, objects, commit }) }),
      links: links.slice(0, maxListed),
      moreLinks: Math.max(0, links.length - maxListed),
      notes: [
        ...(await notesOf(run, folder, { isKnown, before, commit })),
        ...(await extrasNote(run, objects, { request, commit })),
      ],
    };
  });
}

/** The same choice as `setupStage` makes. */
function plannedSetup(root: string, { manager }: RunRequest, found: FoundSetup): PlannedSetup {
  if (manager !== null) return { kind: 'manager', manager };
  if (found.kind === 'problem') return { kind: 'problem', detail: `${found.path} ${found.why}. Nothing would be run.` };
  if (found.kind === 'script') {
    const { path, interpreter } = found.script;
    const text = readFileSync(`${root}/${path}`).subarray(0, maxScriptBytes).toString('utf8');
    return { kind: 'script', path, interpreter: interpreter.join(' '), text };
  }
  const recognised = recogniseManager(root);
  return recognised === undefined || recognised === 'bare-git'
    ? { kind: 'links' }
    : { kind: 'offered', manager: recognised };
}

async function headOf(run: RunGit, folder: string): Promise<string | null> {
  const { stdout } = await run(folder, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
  return stdout.trim() || null;
}

/** Path to mode and object; a path may hold anything but NUL. */
async function treeOf(run: RunGit, folder: string, commit: string): Promise<Map<string, string>> {
  const { code, stdout, stderr } = await run(folder, ['ls-tree', '-r', '-z', '--full-tree', commit]);
  if (code !== 0) throw gitError(stderr);
  if (stdout.length > maxTreeCharacters) throw new SpoonError('repository-refused', 'It has too many files to list.');
  const entries = stdout.split('\0').filter((line) => line !== '');
  return new Map(entries.map((line) => line.split('\t', 2).reverse() as [string, string]));
}

function changesBetween(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): RepositoryPreview['files'] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path) => {
    const [old, now] = [before.get(path), after.get(path)];
    if (old === now) return [];
    return { path, change: old === undefined ? 'added' : now === undefined ? 'removed' : 'changed' } as const;
  });
}

async function notesOf(
  run: RunGit,
  folder: string,
  { isKnown, before, commit }: { isKnown: boolean; before: string | null; commit: string },
): Promise<string[]> {
  if (!isKnown) return [`What is at ~/${repositoryFolder}, if anything, would go to ~/.spoon/backup.`];
  const { stdout } = await run(folder, ['status', '--porcelain', '--untracked-files=normal']);
  if (stdout.trim() === '' || before === null) return [];
  return [
    `You changed something in ~/${repositoryFolder}. It would be kept there as a branch before the checkout is set to ${commit.slice(0, 12)}.`,
  ];
}

async function extrasNote(
  run: RunGit,
  folder: string,
  { request, commit }: { request: RunRequest; commit: string },
): Promise<string[]> {
  const paths = (await submodulesOf(run, folder, commit)).map(({ path }) => path);
  if (paths.length === 0) return [];
  const what = `It has submodules: ${paths.join(', ').slice(0, 500)}.`;
  return [request.submodules ? `${what} They are not looked into here.` : `${what} They are not fetched: that is off.`];
}
