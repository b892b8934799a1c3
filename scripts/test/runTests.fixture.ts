// Runs the tests of the folder given, and writes what came of it to the file given. Within a test Node would run none.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTests } from './runTests.ts';
import { findTestFiles, splitAlone } from './testFiles.ts';

const [root = '', ...numbers] = process.argv.slice(2);
const [retries = 0, testMs = 0, fileMs = 0] = numbers.map(Number);
const counts = await runTests(splitAlone(await findTestFiles(root, [])), {
  root,
  temporary: join(root, 'temporary'),
  signal: new AbortController().signal,
  retries,
  limitsMs: { test: testMs, file: fileMs },
});
await writeFile(join(root, 'counts.json'), JSON.stringify(counts));
