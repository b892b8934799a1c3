import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type FileOutcome, runTestFile } from './runTestFile.ts';
import { nextFile } from './testFiles.ts';
import { endProcesses, findStragglers } from './traces.ts';

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Files that ended well without running one test: an import that went astray looks like that. */
  readonly emptyFiles: readonly string[];
  readonly failedFiles: readonly string[];
  /** Files that failed and then passed by themselves; counted as passed. */
  readonly flakyFiles: readonly string[];
}

export interface RunOptions {
  readonly root: string;
  /** Below it each file has a temporary folder of its own. */
  readonly temporary: string;
  readonly signal: AbortSignal;
  /** How many failed files at most are run once more; when more have failed it is not the neighbours. */
  readonly retries: number;
  /** Of one test and of one file; a file whose tests all hang must not cost the run that many times. */
  readonly limitsMs: { readonly test: number; readonly file: number };
}

/**
 * Runs the files, each in a process of its own, and shows what happens on stdout. What failed is run once more by itself
 * at the end.
 */
export async function runTests(
  { together, alone }: { readonly together: readonly string[]; readonly alone: readonly string[] },
  options: RunOptions,
): Promise<TestCounts> {
  const outcomes = new Map<string, FileOutcome>();
  let begun = 0;
  const runInFolder = async (file: string, isLive: boolean): Promise<void> => {
    begun += 1;
    const folder = join(options.temporary, String(begun));
    // Tests run daemons as other users, who must get to the folders that are theirs below it.
    await mkdir(folder, { mode: 0o711 });
    const outcome = await runTestFile(file, { ...options, folder, isLive });
    outcomes.set(file, outcome);
    // What passed and left something behind is found at the end of the run, and is a failure.
    if (outcome.failed > 0) endProcesses(await findStragglers(`TMPDIR=${folder}\0`, `${folder}/`));
  };
  // Tests wait for half of their time: for an engine, a browser, a limit that passes.
  await runAtOnce(together, availableParallelism() + 1, options.signal, runInFolder);
  await runAtOnce(alone, 1, options.signal, runInFolder);
  const sorted = (): FileOutcome[] => [...outcomes.values()].sort((one, other) => (one.file < other.file ? -1 : 1));
  const failedOnce = sorted()
    .filter(({ failed }) => failed > 0)
    .map(({ file }) => file);
  if (failedOnce.length <= options.retries) {
    for (const file of failedOnce) console.log(`\n${file} failed; once more, by itself:`);
    await runAtOnce(failedOnce, 1, options.signal, runInFolder);
  }
  const all = sorted();
  showSlowest(all);
  const sum = (count: (outcome: FileOutcome) => number): number => all.reduce((total, one) => total + count(one), 0);
  const failedFiles = all.filter(({ failed }) => failed > 0).map(({ file }) => file);
  return {
    passed: sum(({ passed }) => passed),
    failed: sum(({ failed }) => failed),
    skipped: sum(({ skipped }) => skipped),
    emptyFiles: all.filter(({ isEmpty }) => isEmpty).map(({ file }) => file),
    failedFiles,
    flakyFiles: failedOnce.filter((file) => !failedFiles.includes(file)),
  };
}

async function runAtOnce(
  files: readonly string[],
  lanes: number,
  signal: AbortSignal,
  runOne: (file: string, isLive: boolean) => Promise<void>,
): Promise<void> {
  const waiting = [...files];
  const running = new Set<string>();
  const isLive = lanes === 1 || files.length === 1;
  const lane = async (): Promise<void> => {
    for (let file = nextFile(waiting, running); file !== undefined; file = nextFile(waiting, running)) {
      if (signal.aborted) return;
      waiting.splice(waiting.indexOf(file), 1);
      running.add(file);
      await runOne(file, isLive);
      running.delete(file);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** So that nobody has to guess where the time of a run goes. */
function showSlowest(outcomes: readonly FileOutcome[]): void {
  const slowest = outcomes.toSorted((one, other) => other.tookMs - one.tookMs).slice(0, 8);
  if (outcomes.length <= slowest.length) return;
  console.log('\nThe slowest files:');
  for (const { file, tookMs } of slowest) console.log(`${(tookMs / 1000).toFixed(0).padStart(4)} s ${file}`);
}
