import { loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import Docker from 'dockerode';
import { ensureDebianImage } from '../scripts/provision/debianImage.ts';
import { startTestEngine } from '../scripts/provision/docker.ts';
import { ensurePrograms } from '../scripts/provision/systemPackages.ts';
import { mustRun } from '../scripts/runCommand.ts';
import type { AbsoluteRow } from './absolute.ts';
import { apiLoad } from './apiLoad.ts';
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
import { restart } from './restart.ts';
import { shellStart } from './shellStart.ts';
import { besideWetty, firstPrompt, keystrokeEcho, largeOutput } from './terminals.ts';

const root = dirname(import.meta.dirname);

type AnyRow = Row | AbsoluteRow;

/** What is measured, by the name that picks it on the command line. */
const measurements: Readonly<Record<string, (box: BenchBox) => Promise<AnyRow | AnyRow[]>>> = {
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
  api: apiLoad,
  restart,
};

/**
 * Prints how far the goals are met; `--json` for programs, names of `measurements` for those alone. Fails only when
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
  const rows: AnyRow[] = [];
  {
    await using stack = new AsyncDisposableStack();
    const say = (text: string): void => console.error(text);
    await packService();
    if (process.env.SPOON_TEST_DOCKER_HOST === undefined) {
      const engine = stack.use(await startTestEngine(say));
      process.env.SPOON_TEST_DOCKER_HOST = engine.host;
      // Without it the service cannot keep boxes off the network, which is part of what it does.
      process.env.SPOON_TEST_DOCKER_NETWORK = engine.networkNamespace;
    }
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
    console.log(JSON.stringify({ results: rows.map(resultOf) }));
  }
}

/** The service as it is deployed: the sources take a second longer to start. */
async function packService(): Promise<void> {
  const folder = join(root, 'dist', 'test', 'service');
  await mustRun(process.execPath, [join(root, 'scripts/packService.ts'), folder], { cwd: root });
  process.env.SPOON_TEST_SERVICE = join(folder, 'service', 'main.mjs');
}

function resultOf(row: AnyRow) {
  const { name, goal, met } = row;
  if ('ratio' in row) return { name, ratio: row.ratio, goal, met, reference: row.reference };
  return { name, value: row.spoon.median, unit: row.unit, goal, met };
}

function lineOf(row: AnyRow): string {
  const spread = ({ median, min, max }: Spread) =>
    `${median.toFixed(1)} (${min.toFixed(1)}–${max.toFixed(1)}) ${row.unit}`;
  const verdict = row.met ? 'met' : 'NOT met';
  if (!('ratio' in row)) {
    const floor = row.floor === undefined ? [] : [`${row.floor.name} ${spread(row.floor.spread)}`];
    const lines = [`${row.name}: ${spread(row.spoon)}, goal < ${row.goal}, ${verdict}`, ...floor, ...row.details];
    return lines.join('\n    ');
  }
  return `${row.name}: ${row.ratio.toFixed(3)}, goal ${row.goal}, ${verdict}\n    Spoon ${spread(row.spoon)}; ${row.reference} ${spread(row.base)}`;
}

await main();
