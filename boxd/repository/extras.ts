import type { RunGit } from './gitRunner.ts';
import { bringLargeFiles, hasLargeFiles } from './largeFiles.ts';
import type { RunRequest } from './runRequest.ts';
import { bringSubmodules, submodulesOf } from './submodules.ts';

/**
 * What a checkout has beside its own files, where that is switched on; where it is not, the log says so.
 * @returns what a person should know
 * @throws SpoonError as {@link bringSubmodules} and {@link bringLargeFiles}
 */
export async function bringExtras(
  run: RunGit,
  folder: string,
  { request, commit, say }: { request: RunRequest; commit: string; say: (text: string) => void },
): Promise<string[]> {
  const { url, submodules, lfs, gitHosts, maxBytes } = request;
  const notes: string[] = [];
  if (lfs) await bringLargeFiles(run, folder, { url, commit, gitFolder: `${folder}/.git` });
  else if (await hasLargeFiles(run, folder, commit)) {
    say('It keeps files with Git LFS. They stay pointers: that is switched off.\n');
  }
  if (submodules) {
    const also = async (at: string, of: Parameters<typeof bringLargeFiles>[2]) => {
      if (lfs) await bringLargeFiles(run, at, of);
    };
    const kept = await bringSubmodules(run, folder, { url, commit, gitHosts, maxBytes, also });
    notes.push(
      ...kept.map((what) => `You had changed something in a submodule. It is kept as a branch there: ${what}`),
    );
  } else {
    const paths = (await submodulesOf(run, folder, commit)).map(({ path }) => path);
    if (paths.length > 0) {
      say(`It has submodules (${paths.join(', ').slice(0, 500)}). They are not fetched: that is switched off.\n`);
    }
  }
  return notes;
}
