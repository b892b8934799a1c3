import { existsSync, rmSync } from 'node:fs';
import { SpoonError } from '../../protocol/errors.ts';
import { checkRepositoryUrl } from '../../protocol/repositoryUrl.ts';
import { must, type RunGit, throughRename } from './gitRunner.ts';
import { limitCheckout } from './limitCheckout.ts';
import { keepLocalChanges, rememberTaken } from './localChanges.ts';

/** One inside of the other; more is a mistake, or meant to keep git busy. */
const maxDepth = 5;
const maxSubmodules = 100;

export interface Submodule {
  readonly name: string;
  /** Below the checkout. */
  readonly path: string;
  readonly commit: string;
  /** As written: an address, or relative to that of the repository. */
  readonly url: string;
}

/** Those that a commit has, from its own `.gitmodules`; what git itself would not take for one is left out. */
export async function submodulesOf(run: RunGit, folder: string, commit: string): Promise<Submodule[]> {
  const blob = `${commit}:.gitmodules`;
  if ((await run(folder, ['cat-file', '-e', blob])).code !== 0) return [];
  const listed = await run(folder, ['config', '--blob', blob, '-z', '--get-regexp', '^submodule\\..*\\.(path|url)$']);
  const known = new Map<string, { path?: string; url?: string }>();
  for (const entry of listed.stdout.split('\0')) {
    const [, name, key, value] = /^submodule\.([\s\S]*)\.(path|url)\n([\s\S]*)$/.exec(entry) ?? [];
    if (name !== undefined && key !== undefined) known.set(name, { ...known.get(name), [key]: value });
  }
  const found: Submodule[] = [];
  for (const [name, { path, url }] of known) {
    // A name is a folder below .git, and is removed as one.
    if (path === undefined || url === undefined || name.startsWith('/') || name.split('/').includes('..')) continue;
    const { stdout } = await run(folder, ['ls-tree', '-z', '--full-tree', commit, '--', path]);
    const at = /^160000 commit ([0-9a-f]{40})\t/.exec(stdout)?.[1];
    if (at !== undefined) found.push({ name, path, commit: at, url });
  }
  return found;
}

export interface SubmodulesRequest {
  /** Of the repository that has them. */
  readonly url: string;
  readonly commit: string;
  readonly gitHosts: readonly string[];
  /** Of the files of all of them together. */
  readonly maxBytes: number;
  /** What else is done with each checkout. */
  readonly also: (folder: string, of: { url: string; commit: string; gitFolder: string }) => Promise<void>;
}

/**
 * The submodules of a checkout, and theirs, each at the commit that its repository names. Held to the same rules as the
 * repository: https, the same hosts, one limit for all. `git submodule` is told each address after it was looked at; what a
 * `.gitmodules` says is never followed by itself.
 * @returns the branches that a person's changes were kept as
 * @throws SpoonError `submodule-failed`, `repository-too-large`, `repository-refused`; the signal's reason
 */
export async function bringSubmodules(run: RunGit, root: string, request: SubmodulesRequest): Promise<string[]> {
  const branches: string[] = [];
  let count = 0;
  let bytes = 0;
  const limit = async (folder: string, commit: string): Promise<void> => {
    bytes = await limitCheckout(run, folder, commit, request.maxBytes, bytes);
  };
  const bring = async (of: Place, depth: number): Promise<void> => {
    const submodules = await submodulesOf(run, of.folder, of.commit);
    count += submodules.length;
    if (count > maxSubmodules || depth > maxDepth) {
      throw new SpoonError('repository-refused', `At most ${maxSubmodules} submodules, ${maxDepth} deep.`);
    }
    for (const submodule of submodules) {
      const { name, path, commit } = submodule;
      const folder = `${of.folder}/${path}`;
      const place = await named(folder.slice(root.length + 1), async () => {
        const url = checkRepositoryUrl(absolute(submodule.url, of.url), request.gitHosts);
        const kept = existsSync(`${folder}/.git`) ? await keepLocalChanges(run, folder, commit) : undefined;
        if (kept !== undefined) branches.push(`${folder.slice(root.length + 1)}: ${kept}`);
        await update(run, of, { ...submodule, url, growsAt: `${root}/.git/modules`, limit });
        await rememberTaken(run, folder, commit);
        return { folder, url, commit, gitFolder: `${of.gitFolder}/modules/${name}` };
      });
      await request.also(place.folder, place);
      await bring(place, depth + 1);
    }
  };
  await bring({ folder: root, url: request.url, commit: request.commit, gitFolder: `${root}/.git` }, 1);
  return branches;
}

interface Place {
  readonly folder: string;
  readonly url: string;
  readonly commit: string;
  readonly gitFolder: string;
}

async function update(
  run: RunGit,
  { folder, gitFolder }: Place,
  of: Submodule & { growsAt: string; limit: (folder: string, commit: string) => Promise<void> },
): Promise<void> {
  const { name, path, commit, url, growsAt, limit } = of;
  const at = `${folder}/${path}`;
  const isNew = !existsSync(`${at}/.git`);
  try {
    const done = throughRename(url, async (from) => {
      await must(run(folder, ['config', '--local', `submodule.${name}.url`, from]));
      if (!isNew) await must(run(at, ['config', '--local', 'remote.origin.url', from]));
      // A command in place of the checkout: how large the files are is known once the commit is here.
      const later = `--config-env=submodule.${name}.update=SPOON_NO_CHECKOUT`;
      const args = [later, 'submodule', '--quiet', 'update', '--force', '--depth=1', '--', path];
      return run(folder, args, { growsAt, environment: { SPOON_NO_CHECKOUT: '!true' } });
    });
    await must(done);
    await limit(at, commit);
    const checkout = ['submodule', '--quiet', 'update', '--checkout', '--force', '--no-fetch', '--', path];
    await must(run(folder, checkout, { growsAt }));
  } catch (error) {
    // Half of one would be in the way of the next try.
    if (isNew) {
      rmSync(`${at}/.git`, { force: true });
      rmSync(`${gitFolder}/modules/${name}`, { recursive: true, force: true });
    }
    throw error;
  }
}

/** As git reads a relative one: beside the repository, not below it. */
function absolute(url: string, base: string): string {
  return /^\.\.?\//.test(url) ? new URL(url, `${base}/`).href : url;
}

/** Which one it was. A cancelled run and what is too large are about the whole. */
async function named<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isOfAll = error instanceof SpoonError && ['repository-too-large', 'git-timeout'].includes(error.code);
    if (!(error instanceof SpoonError) || isOfAll) throw error;
    throw new SpoonError('submodule-failed', `${path}: ${error.message}`, { cause: error });
  }
}
