import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findTestFiles, marksFound, nextFile, splitAlone } from './testFiles.ts';

describe('finding tests', () => {
  let root: string;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'spoon-files-'));
    const files = {
      'service/keyring/rootKey.test.ts': `import { a } from './rootKey.ts';`,
      'service/keyring/rootKey.ts': `import '../boxes/engine.ts';`,
      'service/boxes/engine.ts': `process.env.SPOON_TEST_DOCKER_HOST; import './engine.ts';`,
      'protocol/homePath.test.ts': `import 'node:test';`,
      'test/vscode/tree.test.ts': '',
      'node_modules/x/x.test.ts': '',
      'boxd/dist/x.test.ts': '',
    };
    for (const [file, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await writeFile(join(root, file), text);
    }
  });
  after(() => rm(root, { recursive: true }));

  it('finds those of our folders', async () => {
    assert.deepEqual(await findTestFiles(root, []), [
      'protocol/homePath.test.ts',
      'service/keyring/rootKey.test.ts',
      'test/vscode/tree.test.ts',
    ]);
  });

  it('tells apart those that must run alone', () => {
    assert.deepEqual(splitAlone(['a.test.ts', 'b.alone.test.ts', 'alone.test.ts']), {
      together: ['a.test.ts', 'alone.test.ts'],
      alone: ['b.alone.test.ts'],
    });
  });

  it('begins with one that brings a VS Code, then what is long, and has two of the former at once only at the end', () => {
    const vscode = ['test/vscode/a.test.ts', 'test/vscode/b.test.ts'];
    const waiting = ['cli/c.test.ts', 'test/faults/d.test.ts', ...vscode];
    const begun: string[] = [];
    const running = new Set<string>();
    for (let file = nextFile(waiting, running); file !== undefined; file = nextFile(waiting, running)) {
      waiting.splice(waiting.indexOf(file), 1);
      begun.push(file);
      running.add(file);
    }
    assert.deepEqual(begun, [vscode[0], 'test/faults/d.test.ts', 'cli/c.test.ts', vscode[1]]);
    assert.equal(nextFile(['cli/c.test.ts', ...vscode], new Set(['cli/x.test.ts'])), vscode[0]);
  });

  it('takes any of the filters as a part of the path', async () => {
    assert.deepEqual(await findTestFiles(root, ['service/keyring']), ['service/keyring/rootKey.test.ts']);
    assert.deepEqual(await findTestFiles(root, ['nowhere']), []);
  });

  it('knows which marks stand in them, also through imports', async () => {
    const names = ['SPOON_TEST_DOCKER_HOST', 'SPOON_TEST_IMAGE'];
    assert.deepEqual([...(await marksFound(root, ['service/keyring/rootKey.test.ts'], names))], names.slice(0, 1));
    assert.deepEqual([...(await marksFound(root, ['protocol/homePath.test.ts'], names))], []);
  });
});
