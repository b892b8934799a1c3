import { once } from 'node:events';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

export interface FileOutcome {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** It ended well without running one test. */
  readonly isEmpty: boolean;
  readonly tookMs: number;
}

interface Options {
  readonly root: string;
  /** Its `TMPDIR`. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly limitsMs: { readonly test: number; readonly file: number };
  /** Shows what happens at once; else all of it when the file has ended, so that files are not mixed. */
  readonly isLive: boolean;
}

/** Runs one file in a process of its own, and shows on stdout what its tests say. */
export async function runTestFile(file: string, options: Options): Promise<FileOutcome> {
  const startedMs = performance.now();
  const path = join(options.root, file);
  const limit = AbortSignal.timeout(options.limitsMs.file);
  const stream = run({
    files: [path],
    timeout: options.limitsMs.test,
    signal: AbortSignal.any([options.signal, limit]),
    env: { ...process.env, TMPDIR: options.folder },
  });
  const counts = { passed: 0, failed: 0, skipped: 0 };
  let isEmpty = false;
  stream.on('test:pass', ({ name, nesting }) => {
    if (nesting === 0 && name === path) isEmpty = true;
  });
  stream.on('test:summary', ({ counts: { tests, passed, skipped, todo }, success, file: ofFile }) => {
    if (ofFile !== undefined) return; // of the process; the one without has its end too
    counts.passed = isEmpty ? 0 : passed;
    counts.skipped = skipped + todo;
    // A file can also fail beside its tests: by an error after the last, by a limit.
    counts.failed = Math.max(tests - passed - counts.skipped, success ? 0 : 1);
  });
  const shown = Readable.from(withoutTotals(stream)).pipe(spec());
  let text = '';
  shown.on('data', (chunk: Buffer | string) => {
    if (options.isLive) process.stdout.write(chunk);
    else text += chunk;
  });
  await once(shown, 'end');
  if (limit.aborted) text += `${file} took longer than ${options.limitsMs.file / 1000} s and was ended.\n`;
  process.stdout.write(text);
  return { file, ...counts, isEmpty, tookMs: performance.now() - startedMs };
}

type TestEvent = { type: string; data: { nesting?: number; message?: string } };

/** The report ends with a dozen lines of totals, here of one file only. */
async function* withoutTotals(events: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  const totals = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;
  for await (const event of events) {
    if (event.type === 'test:diagnostic' && event.data.nesting === 0 && totals.test(event.data.message ?? '')) continue;
    yield event;
  }
}
