import { randomBytes } from 'node:crypto';
import { constants, type Dirent } from 'node:fs';
import { chmod, copyFile, link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SpoonError } from '../../protocol/errors.ts';

const temporaryPrefix = '.tmp-';
/** A temporary folder this old was left by a service that was killed while laying. */
const leftoverMs = 60 * 60 * 1000;

export interface LaidBundle {
  /** What a box gets read-only at `/opt/spoon`. */
  readonly dir: string;
  /** Content hash; boxd says the same in `/v1/stat`. */
  readonly build: string;
}

interface BuildFacts {
  readonly build: string;
  /** Package and version of the Node in it. */
  readonly node: string;
}

/**
 * Lays boxd and its Node into `{workdir}/boxd/{hash}/`, readable by every uid. Made beside and renamed into place, so
 * that a bundle is there whole or not at all, never changes under a running box, and two services may lay it at once.
 * @param source `dist/boxd`, as `scripts/buildBoxd.ts` makes it
 * @throws SpoonError `box-start-failed` when there is no built bundle, `insufficient-storage`
 */
export async function layBoxd({ source, workdir }: { source: string; workdir: string }): Promise<LaidBundle> {
  const facts = await readFacts(source);
  const parent = join(workdir, 'boxd');
  const dir = join(parent, facts.build);
  if ((await stat(dir).catch(ignoreMissing)) !== undefined) return { dir, build: facts.build };

  await mkdir(parent, { recursive: true, mode: 0o755 });
  await chmod(parent, 0o755);
  await removeLeftovers(parent);
  const temporary = join(parent, `${temporaryPrefix}${randomBytes(8).toString('hex')}`);
  try {
    await layFolder(source, temporary, await findNode(parent, facts.node));
    await rename(temporary, dir);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new SpoonError('insufficient-storage', `boxd needs 130 MB in ${parent}.`, { cause: error });
    }
    // Another service was quicker: its bundle has the same content.
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  await syncFolder(parent);
  return { dir, build: facts.build };
}

async function readFacts(source: string): Promise<BuildFacts> {
  try {
    const { build, node } = JSON.parse(await readFile(join(source, 'build.json'), 'utf8')) as Partial<BuildFacts>;
    if (typeof build !== 'string' || !/^[0-9a-f]{32}$/.test(build)) throw new Error('build.json names no build');
    return { build, node: String(node) };
  } catch (cause) {
    throw new SpoonError('box-start-failed', `There is no boxd in ${source}. Run scripts/buildBoxd.ts.`, { cause });
  }
}

/** A Node of this version in a bundle that is laid already: linked instead of copied, 120 MB less for every new boxd. */
async function findNode(parent: string, version: string): Promise<string | undefined> {
  for (const name of await readdir(parent)) {
    if (name.startsWith(temporaryPrefix)) continue;
    const facts = await readFacts(join(parent, name)).catch(() => undefined);
    if (facts?.node === version) return join(parent, name, 'bin', 'node');
  }
  return undefined;
}

async function layFolder(from: string, to: string, node: string | undefined): Promise<void> {
  await mkdir(to);
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await layFolder(source, target, entry.name === 'bin' ? node : undefined);
    else if (node !== undefined && entry.name === 'node') await linkOrCopy(node, target);
    else if (entry.isFile()) await layFile(source, target);
  }
  await syncFolder(to);
}

async function linkOrCopy(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch {
    await layFile(source, target);
  }
}

/** On disk before the rename: after a power cut a half bundle would otherwise stand under a name that says it is whole. */
async function layFile(source: string, target: string): Promise<void> {
  await copyFile(source, target, constants.COPYFILE_FICLONE);
  const { mode } = await stat(source);
  const file = await open(target, 'r');
  try {
    await file.chmod((mode & 0o100) === 0 ? 0o444 : 0o555);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function removeLeftovers(parent: string): Promise<void> {
  const entries: Dirent[] = await readdir(parent, { withFileTypes: true });
  for (const { name } of entries.filter((entry) => entry.name.startsWith(temporaryPrefix))) {
    const path = join(parent, name);
    const found = await stat(path).catch(ignoreMissing);
    if (found !== undefined && Date.now() - found.mtimeMs > leftoverMs)
      await rm(path, { recursive: true, force: true });
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
