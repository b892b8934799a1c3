import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Files that ended well without running one test: an import that went astray looks like that. */
  readonly emptyFiles: readonly string[];
}

/** A file that takes longer hangs; the slowest of ours is a day in VS Code, 75 s on a quiet machine. */
const testTimeoutMs = 420_000;

/** Runs the files, each in a process of its own, and shows what happens on stdout. */
export async function runTests(
  root: string,
  files: { readonly together: readonly string[]; readonly alone: readonly string[] },
  signal: AbortSignal,
): Promise<TestCounts> {
  // Tests wait for half of their time: for an engine, a browser, a limit that passes.
  const beside = await runAtOnce(root, files.together, availableParallelism() + 1, signal);
  const alone = await runAtOnce(root, files.alone, 1, signal);
  return {
    passed: beside.passed + alone.passed,
    failed: beside.failed + alone.failed,
    skipped: beside.skipped + alone.skipped,
    emptyFiles: [...beside.emptyFiles, ...alone.emptyFiles],
  };
}

async function runAtOnce(
  root: string,
  files: readonly string[],
  concurrency: number,
  signal: AbortSignal,
): Promise<TestCounts> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const emptyFiles: string[] = [];
  // Without files Node would look for some itself.
  if (files.length === 0 || signal.aborted) return { ...counts, emptyFiles };
  const stream = run({ files: files.map((file) => join(root, file)), concurrency, timeout: testTimeoutMs, signal });
  stream.on('test:pass', ({ name, nesting, file }) => {
    if (nesting === 0 && name === file) emptyFiles.push(file.slice(root.length + 1));
  });
  stream.on('test:summary', ({ counts: { tests, passed, skipped, todo }, file }) => {
    if (file !== undefined) return; // of one file; the one without is of all
    counts.passed = passed;
    counts.skipped = skipped + todo;
    counts.failed = tests - passed - counts.skipped;
  });
  const shown = stream.compose(spec());
  shown.pipe(process.stdout, { end: false });
  await new Promise((resolve, reject) => shown.on('end', resolve).on('error', reject));
  return { ...counts, passed: counts.passed - emptyFiles.length, emptyFiles };
}
