import { watch } from 'node:fs';
import { join } from 'node:path';
import { mustRun } from '../runCommand.ts';

/** `npm run dev`: what is changed is at work a moment later. */

/** What each process runs from; the extension's own folder is watched by esbuild. */
const daemonSources = ['boxd', 'protocol'];
const serviceSources = ['service', 'protocol'];
/** Editors write a file in several steps, and people save several files at once. */
const settleMs = 200;

export interface Developing {
  readonly root: string;
  /** Ends the service and starts it again; boxes run on. */
  restart(): Promise<void>;
  readonly say: (text: string) => void;
}

/** Watches until the process ends. A build or start that fails is told, and the next change tries again. */
export async function followChanges({ root, restart, say }: Developing): Promise<void> {
  const { watchExtension } = await import('../buildExtension.ts');
  await watchExtension();
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> = Promise.resolve();
  const takeUp = async (): Promise<void> => {
    const folders = [...changed];
    changed.clear();
    try {
      if (folders.some((folder) => daemonSources.includes(folder))) {
        await mustRun(process.execPath, [join(root, 'scripts', 'buildBoxd.ts')]);
        say('Built boxd; boxes take it at their next start.');
      }
      await restart();
      say('The service runs with your change.');
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
    }
  };
  for (const folder of new Set([...daemonSources, ...serviceSources])) {
    watch(join(root, folder), { recursive: true }, (_event, name) => {
      if (name === null || !name.endsWith('.ts') || name.endsWith('.test.ts')) return;
      changed.add(folder);
      clearTimeout(timer);
      timer = setTimeout(() => {
        working = working.then(takeUp);
      }, settleMs);
    });
  }
}
