import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchBox, bigFileLine, localShell, promptText, type Shell } from './benchBox.ts';
import { compare, type Row, spreadOf } from './ratio.ts';
import { Wetty } from './wetty.ts';

const keystrokes = 500;
const outputBytes = 200 * 1024 * 1024;

/** Time to the first prompt of a new shell in a box that runs, ms. */
export function firstPrompt(box: BenchBox): Promise<Row> {
  return compare({
    name: 'first prompt in a running box',
    reference: 'docker exec -it BOX bash -l under node-pty',
    goal: 0.2,
    better: 'lower',
    unit: 'ms',
    pairs: 11,
    measureSpoon: () => promptMs(() => box.spoonShell()),
    measureReference: () => promptMs(async () => box.dockerCliShell()),
  });
}

async function promptMs(open: () => Promise<Shell>): Promise<number> {
  const start = performance.now();
  const shell = await open();
  await shell.until(promptText);
  const took = performance.now() - start;
  await shell.close();
  return took;
}

/** Median time of one key to its echo through readline, µs. */
export async function keystrokeEcho(box: BenchBox): Promise<Row> {
  const spoon = await box.spoonShell();
  const reference = box.dockerCliShell();
  await Promise.all([spoon.until(promptText), reference.until(promptText)]);
  try {
    return await compare({
      name: 'keystroke echo, p50',
      reference: 'docker exec -it under node-pty',
      goal: 0.9,
      better: 'lower',
      unit: 'µs',
      pairs: 7,
      measureSpoon: () => echoMicroseconds(spoon),
      measureReference: () => echoMicroseconds(reference),
    });
  } finally {
    await Promise.all([spoon.close(), reference.close()]);
  }
}

async function echoMicroseconds(shell: Shell): Promise<number> {
  const values: number[] = [];
  for (let count = 0; count < keystrokes; count++) {
    const key = String.fromCharCode(97 + (count % 26));
    const start = performance.now();
    shell.type(key);
    await shell.until(key);
    values.push((performance.now() - start) * 1000);
    // A short line keeps readline's own work the same for every key.
    if (count % 40 === 39) {
      shell.type('\x15');
      shell.type('#\r');
      await shell.until(promptText);
    }
  }
  return spreadOf(values).median;
}

/** MB/s of a real text file through `cat`: against Docker's API, and against a bare pseudo-terminal without a box. */
export async function largeOutput(box: BenchBox): Promise<Row[]> {
  await box.ensureBigFile(outputBytes);
  const directory = await mkdtemp(join(tmpdir(), 'spoon-bench-'));
  await writeSame(join(directory, 'big.txt'), bigFileLine);
  const shells = { spoon: await box.spoonShell(), api: await box.execApiShell(), local: localShell() };
  for (const shell of Object.values(shells)) await shell.until(promptText);
  try {
    const spoonMbPerSecond = () => catMbPerSecond(shells.spoon, 'big.txt');
    return [
      await compare({
        name: 'output of a 200 MB text file',
        reference: 'dockerode exec stream, raw',
        goal: 1.35,
        better: 'higher',
        unit: 'MB/s',
        pairs: 5,
        measureSpoon: spoonMbPerSecond,
        measureReference: () => catMbPerSecond(shells.api, 'big.txt'),
      }),
      await compare({
        name: 'output of a 200 MB text file, against the limit',
        reference: 'bare local node-pty',
        goal: 0.85,
        better: 'higher',
        unit: 'MB/s',
        pairs: 5,
        measureSpoon: spoonMbPerSecond,
        measureReference: () => catMbPerSecond(shells.local, join(directory, 'big.txt')),
      }),
    ];
  } finally {
    await Promise.all(Object.values(shells).map((shell) => shell.close()));
    await rm(directory, { recursive: true });
  }
}

async function writeSame(path: string, line: string): Promise<void> {
  const text = `${line}\n`.repeat(Math.ceil((8 * 1024 * 1024) / (line.length + 1)));
  for (let written = 0; written < outputBytes; written += text.length) {
    await appendFile(path, text.slice(0, outputBytes - written));
  }
}

let runs = 0;

async function catMbPerSecond(shell: Shell, path: string): Promise<number> {
  const mark = `end-${++runs}`;
  const start = performance.now();
  // The mark is put together by the shell, so that the echo of the command is not taken for it.
  shell.type(`cat ${path}; echo "end"-${runs}\r`);
  await shell.until(`${mark}\r\n`);
  return outputBytes / 1e6 / ((performance.now() - start) / 1000);
}

/** The same three against a terminal in a browser as there are many: wetty from npm in front of `docker exec -it`. */
export async function besideWetty(box: BenchBox): Promise<Row[]> {
  await box.ensureBigFile(outputBytes);
  await using wetty = await Wetty.start(box);
  const prompt = await compare({
    name: 'first prompt in a running box, beside wetty',
    reference: 'wetty (npm) over docker exec -it',
    goal: 0.2,
    better: 'lower',
    unit: 'ms',
    pairs: 7,
    measureSpoon: () => promptMs(() => box.spoonShell()),
    measureReference: () => promptMs(async () => wetty.shell()),
  });
  const shells = { spoon: await box.spoonShell(), wetty: wetty.shell() };
  for (const shell of Object.values(shells)) await shell.until(promptText);
  try {
    const echo = await compare({
      name: 'keystroke echo, p50, beside wetty',
      reference: 'wetty (npm) over docker exec -it',
      goal: 0.2,
      better: 'lower',
      unit: 'µs',
      pairs: 5,
      measureSpoon: () => echoMicroseconds(shells.spoon),
      measureReference: () => echoMicroseconds(shells.wetty),
    });
    const output = await compare({
      name: 'output of a 200 MB text file, beside wetty',
      reference: 'wetty (npm) over docker exec -it',
      goal: 1.35,
      better: 'higher',
      unit: 'MB/s',
      pairs: 3,
      measureSpoon: () => catMbPerSecond(shells.spoon, 'big.txt'),
      measureReference: () => catMbPerSecond(shells.wetty, 'big.txt'),
    });
    return [prompt, echo, output];
  } finally {
    await Promise.all(Object.values(shells).map((shell) => shell.close()));
  }
}
