import Mocha from 'mocha';
import type { SuiteResult } from '../extensionHost.ts';

/**
 * What VS Code calls inside the extension host, here as in a desktop VS Code under @vscode/test-electron; the bundle in
 * dist/test holds it together with the tests. Rejects when a test fails.
 */
export function run(): Promise<SuiteResult> {
  const mocha = new Mocha({ ui: 'bdd', color: false, timeout: 60_000, reporter: 'spec', ...chosen() });
  mocha.suite.emit('pre-require', globalThis, 'spoon', mocha);
  return import('./all.ts').then(
    () =>
      new Promise((resolve, reject) => {
        let passed = 0;
        const failures: string[] = [];
        mocha
          .run()
          .on('pass', () => {
            passed += 1;
          })
          .on('fail', (test, error) => failures.push(`${test.fullTitle()}\n${error.stack ?? error.message}`))
          .on('end', () => {
            if (failures.length > 0) reject(new Error(failures.join('\n\n')));
            else resolve({ passed });
          });
      }),
  );
}

/** SPOON_TEST_GREP runs only what it matches, while something is looked into. */
function chosen(): { grep?: string } {
  const grep = process.env.SPOON_TEST_GREP;
  return grep === undefined ? {} : { grep };
}
