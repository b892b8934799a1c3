import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type GitServer, git } from './gitServer.ts';

/** A file's text, with `mode`, or as a link, where that matters. */
export type TestContent = string | { readonly text: string; readonly mode: number } | { readonly link: string };
export type TestTree = Readonly<Record<string, TestContent>>;

/** Makes the branch of a repository exactly this tree, by one more commit. @returns its address and the commit */
export function publishTree(
  server: GitServer,
  name: string,
  tree: TestTree,
  branch = 'main',
): { url: string; commit: string } {
  const work = join(server.folder, 'work', name);
  if (!existsSync(work)) server.repository(name, {});
  git(work, 'checkout', '--quiet', '-B', branch);
  git(work, 'rm', '-r', '-f', '--quiet', '--ignore-unmatch', '.');
  for (const [path, content] of Object.entries(tree)) writeContent(join(work, path), content);
  git(work, 'add', '--all', '--force');
  git(work, 'commit', '--quiet', '--allow-empty', '--message', `${Object.keys(tree).length} files`);
  git(work, 'push', '--quiet', '--force', 'origin', branch);
  return { url: server.url(`${name}.git`), commit: git(work, 'rev-parse', 'HEAD') };
}

export function publishTag(server: GitServer, name: string, tag: string): void {
  const work = join(server.folder, 'work', name);
  git(work, 'tag', '--annotate', '--message', tag, tag, 'main');
  git(work, 'push', '--quiet', 'origin', tag);
}

export function headOf(server: GitServer, name: string): string {
  return git(join(server.folder, 'work', name), 'rev-parse', 'HEAD');
}

/** One more commit on `main`, with these submodules. @param modules by path @returns the commit */
export function linkSubmodules(
  server: GitServer,
  name: string,
  modules: Readonly<Record<string, { readonly url: string; readonly commit: string }>>,
): string {
  const work = join(server.folder, 'work', name);
  const entries = Object.entries(modules);
  const text = entries.map(([path, { url }]) => `[submodule "${path}"]\n\tpath = ${path}\n\turl = ${url}\n`);
  writeFileSync(join(work, '.gitmodules'), text.join(''));
  git(work, 'add', '.gitmodules');
  for (const [path, { commit }] of entries) {
    git(work, 'update-index', '--add', '--cacheinfo', `160000,${commit},${path}`);
  }
  git(work, 'commit', '--quiet', '--message', 'submodules');
  git(work, 'push', '--quiet', '--force', 'origin', 'main');
  return headOf(server, name);
}

function writeContent(path: string, content: TestContent): void {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  if (typeof content === 'string') writeFileSync(path, content);
  else if ('link' in content) symlinkSync(content.link, path);
  else writeFileSync(path, content.text, { mode: content.mode });
}
