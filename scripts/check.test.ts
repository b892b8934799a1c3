import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { checkBoundaries } from './check/boundaries.ts';

const root = dirname(import.meta.dirname);
const left = /^(\.git|\.local|\.vscode-test|dist|node_modules)(\/|$)/;

async function copyOfSources(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'spoon-boundaries-'));
  await cp(root, copy, { recursive: true, filter: (source) => !left.test(relative(root, source)) });
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

// The rule, where it is broken, and how. Each file is planted in one copy, which is then cruised once.
const planted = [
  ['protocol may not use Node', 'protocol/planted1.ts', `import 'node:fs';`],
  ['protocol may use one npm package, its schema library', 'protocol/planted2.ts', `import 'ws';`],
  ['client may not use Node', 'client/planted1.ts', `import 'node:net';`],
  ['client may not use the service', 'client/planted2.ts', `import '../service/store/tables.ts';`],
  ['the service may not use scripts', 'service/planted1.ts', `import '../scripts/runCommand.ts';`],
  [
    'boxd may not use the service, not even a type',
    'boxd/planted1.ts',
    `import type {} from '../service/store/tables.ts';`,
  ],
  ['a late import is an import', 'service/planted2.ts', `export const late = import('../boxd/planted1.ts');`],
  ['`using` hides no import', 'service/planted5.ts', `using late = await import('../boxd/planted1.ts');`],
  ['a noun may use only the nouns listed for it', 'service/store/planted.ts', `import '../boxes/engine.ts';`],
  ['only the store opens the database', 'service/planted3.ts', `import 'node:sqlite';`],
  ['only the Docker engine talks to Docker', 'service/http/planted1.ts', `import 'dockerode';`],
  ['only owners touch files', 'service/http/planted2.ts', `import 'node:fs/promises';`],
  ['sources do not use tests', 'service/planted4.ts', `import './planted.test.ts';`],
  ['a folder that nobody listed may use nothing', 'newcomer/planted.ts', `import '../protocol/limits.ts';`],
  ['a noun that nobody listed may not use the others', 'service/webhooks/planted.ts', `import '../boxes/engine.ts';`],
] as const;

describe('the import boundaries', () => {
  let problems: string[];
  before(async () => {
    const copy = await copyOfSources();
    for (const [, path, source] of [...planted, ['', 'service/planted.test.ts', '']]) {
      await mkdir(dirname(join(copy, path)), { recursive: true });
      await writeFile(join(copy, path), `${source}\n`);
    }
    problems = await checkBoundaries(copy);
    await rm(copy, { recursive: true });
  });

  for (const [rule, path] of planted) {
    it(`hold: ${rule}`, () => {
      assert.ok(
        problems.some((problem) => problem.startsWith(`${path} → `)),
        problems.join('\n'),
      );
    });
  }

  it('complain about nothing else', () => {
    const others = problems.filter((problem) => !planted.some(([, path]) => problem.startsWith(path)));
    assert.deepEqual(others, []);
  });
});

describe('the guard of the import boundaries', () => {
  let copy: string;
  before(async () => {
    copy = await copyOfSources();
  });
  after(() => rm(copy, { recursive: true }));

  it('does not take a cruise that read nothing for a good one', async () => {
    await writeFile(
      join(copy, '.dependency-cruiser.cjs'),
      `module.exports = { options: { exclude: { path: '.' } } };\n`,
    );
    assert.match((await checkBoundaries(copy)).join('\n'), /^Not looked at/);
  });
});
