import { loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import Docker from 'dockerode';
import { ensureDebianImage } from '../scripts/provision/debianImage.ts';
import { startTestEngine } from '../scripts/provision/docker.ts';
import { ensurePrograms } from '../scripts/provision/systemPackages.ts';
import { mustRun } from '../scripts/runCommand.ts';
import { BenchBox } from './benchBox.ts';
import { stoppedBoxToPrompt } from './coldStart.ts';
import { coldList } from './dotfileList.ts';
import { freshHome, nothingToDo, saveToVisible } from './dotfiles.ts';
import { cloneAndSetup } from './dotfilesRepository.ts';
import { frozenReader, idleViewer } from './flow.ts';
import { jobStart } from './jobStart.ts';
import { idleBoxd } from './memory.ts';
import type { Row, Spread } from './ratio.ts';
import { reattach } from './reattach.ts';
import { shellStart } from './shellStart.ts';
import { besideWetty, firstPrompt, keystrokeEcho, largeOutput } from './terminals.ts';

const root = dirname(import.meta.dirname);

/** What is measured, by the name that picks it on the command line. */
const measurements: Readonly<Record<string, (box: BenchBox) => Promise<Row | Row[]>>> = {
  memory: idleBoxd,
  prompt: firstPrompt,
  shell: shellStart,
  echo: keystrokeEcho,
  save: saveToVisible,
  nothing: nothingToDo,
  fresh: freshHome,
  list: coldList,
  repository: cloneAndSetup,
  job: jobStart,
  output: largeOutput,
  wetty: besideWetty,
  reattach,
  frozen: frozenReader,
  idle: idleViewer,
  stopped: stoppedBoxToPrompt,
};

/**
 * Prints the ratios of the goals; `--json` for programs, names of `measurements` for those alone. Fails only when
 * something could not be measured.
 */
async function main(): Promise<void> {
  const json = process.argv.includes('--json');
  const names = process.argv.slice(2).filter((argument) => argument !== '--json');
  const unknown = names.filter((name) => measurements[name] === undefined);
  if (unknown.length > 0) {
    throw new Error(`There is no ${unknown.join(', ')}. There are ${Object.keys(measurements).join(', ')}.`);
  }
  const chosen = Object.entries(measurements).filter(([name]) => names.length === 0 || names.includes(name));
  const rows: Row[] = [];
  {
    await using stack = new AsyncDisposableStack();
    const say = (text: string): void => console.error(text);
    await mustRun(process.execPath, [join(root, 'scripts/buildBoxd.ts')], { cwd: root });
    process.env.SPOON_TEST_DOCKER_HOST ??= stack.use(await startTestEngine(say)).host;
    const docker = new Docker({ socketPath: process.env.SPOON_TEST_DOCKER_HOST.replace('unix://', '') });
    process.env.SPOON_TEST_IMAGE ??= await ensureDebianImage(docker, say);
    await ensurePrograms([{ file: 'rsync', debianPackage: 'rsync' }], say);
    await using box = await BenchBox.start();
    if (!json) console.log(`load ${loadavg()[0]?.toFixed(2)}; medians of interleaved pairs, (min–max)`);
    for (const [, measure] of chosen) {
      for (const row of [await measure(box)].flat()) {
        rows.push(row);
        if (!json) console.log(lineOf(row));
      }
    }
  }
  if (json) {
    const results = rows.map(({ name, ratio, goal, met, reference }) => ({ name, ratio, goal, met, reference }));
    console.log(JSON.stringify({ results }));
  }
}

function lineOf(row: Row): string {
  const spread = ({ median, min, max }: Spread) =>
    `${median.toFixed(1)} (${min.toFixed(1)}–${max.toFixed(1)}) ${row.unit}`;
  const verdict = row.met ? 'met' : 'NOT met';
  return `${row.name}: ${row.ratio.toFixed(3)}, goal ${row.goal}, ${verdict}\n    Spoon ${spread(row.spoon)}; ${row.reference} ${spread(row.base)}`;
}

await main();
