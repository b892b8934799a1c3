import { loadavg } from 'node:os';
import Docker from 'dockerode';
import { ensureDebianImage } from '../scripts/provision/debianImage.ts';
import { startTestEngine } from '../scripts/provision/docker.ts';
import { ensurePrograms } from '../scripts/provision/systemPackages.ts';
import { BenchBox } from './benchBox.ts';
import { nothingToDo, saveToVisible } from './dotfiles.ts';
import { idleBoxd } from './memory.ts';
import type { Row, Spread } from './ratio.ts';
import { firstPrompt, keystrokeEcho, largeOutput } from './terminals.ts';

/** Prints the ratios of the goals; `--json` for programs. Fails only when something could not be measured. */
async function main(): Promise<void> {
  const json = process.argv.includes('--json');
  const rows: Row[] = [];
  {
    await using stack = new AsyncDisposableStack();
    const say = (text: string): void => console.error(text);
    process.env.SPOON_TEST_DOCKER_HOST ??= stack.use(await startTestEngine(say)).host;
    const docker = new Docker({ socketPath: process.env.SPOON_TEST_DOCKER_HOST.replace('unix://', '') });
    process.env.SPOON_TEST_IMAGE ??= await ensureDebianImage(docker, say);
    await ensurePrograms([{ file: 'rsync', debianPackage: 'rsync' }], say);
    await using box = await BenchBox.start();
    const take = async (measured: Promise<Row | Row[]>) => {
      for (const row of [await measured].flat()) {
        rows.push(row);
        if (!json) console.log(lineOf(row));
      }
    };
    if (!json) console.log(`load ${loadavg()[0]?.toFixed(2)}; medians of interleaved pairs, (min–max)`);
    await take(idleBoxd(box));
    await take(firstPrompt(box));
    await take(keystrokeEcho(box));
    await take(saveToVisible(box));
    await take(nothingToDo(box));
    await take(largeOutput(box));
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
