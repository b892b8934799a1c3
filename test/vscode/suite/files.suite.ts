import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { TestView } from '../../../extension/extension.ts';
import { anotherWindow, bytesOf, signedIn, textOf, until, uriOf } from './window.ts';

const { fs } = vscode.workspace;

describe('dotfiles as files', () => {
  let view: TestView;
  beforeEach(async () => {
    view = await signedIn();
  });

  const write = (path: string, text: string) => fs.writeFile(uriOf(view, path), bytesOf(text));
  const read = async (path: string) => textOf(await fs.readFile(uriOf(view, path)));

  it('are written, read and listed', async () => {
    await write('.bashrc', 'alias ll="ls -l"\n');
    assert.equal(await read('.bashrc'), 'alias ll="ls -l"\n');
    assert.deepEqual(await fs.readDirectory(uriOf(view, '')), [['.bashrc', vscode.FileType.File]]);
  });

  it('have the times and sizes of the service, which only go up', async () => {
    await write('a', '1');
    const first = await fs.stat(uriOf(view, 'a'));
    await write('a', '22');
    const second = await fs.stat(uriOf(view, 'a'));
    assert.deepEqual([first.size, second.size], [1, 2]);
    assert.ok(second.mtime > first.mtime && second.ctime === first.ctime);
    assert.deepEqual(await fs.stat(uriOf(view, 'a')), second);
  });

  const names = [
    'with space',
    'hash#tag',
    'question?mark',
    'per%cent%20',
    'ünïcödé 🥄',
    '.leading',
    '...dots',
    'a+b&c=d;e',
    'quote\'"',
    '[brackets]{curly}',
    '日本語',
    'tab\u00a0nbsp',
  ];
  for (const name of names) {
    it(`keep the name ${JSON.stringify(name)} exactly`, async () => {
      const path = `folder/${name}`;
      await fs.createDirectory(uriOf(view, 'folder'));
      await write(path, name);
      const reparsed = vscode.Uri.parse(uriOf(view, path).toString());
      assert.equal(textOf(await fs.readFile(reparsed)), name);
      assert.deepEqual(await fs.readDirectory(uriOf(view, 'folder')), [[name, vscode.FileType.File]]);
      assert.equal(textOf((await anotherWindow().read(path)).bytes), name);
    });
  }

  it('are two files where names differ in case only', async () => {
    await write('.Env', 'upper');
    await write('.env', 'lower');
    assert.deepEqual([await read('.Env'), await read('.env')], ['upper', 'lower']);
  });

  it('are renamed and moved, folders with all in them', async () => {
    await fs.createDirectory(uriOf(view, 'a'));
    await write('a/x', '1');
    await fs.rename(uriOf(view, 'a'), uriOf(view, 'b'));
    assert.equal(await read('b/x'), '1');
    await assert.rejects(async () => await fs.stat(uriOf(view, 'a/x')), { code: 'FileNotFound' });
  });

  it('are copied with their mode', async () => {
    await anotherWindow().save('run.sh', bytesOf('#!/bin/sh\n'), { base: 'create', origin: 'api', mode: 0o755 });
    await until('the file shows', () => view.current.require().dotfiles.entry('run.sh') !== undefined);
    await fs.copy(uriOf(view, 'run.sh'), uriOf(view, 'copy.sh'));
    assert.equal((await anotherWindow().read('copy.sh')).mode, 0o755);
  });

  it('are deleted, folders only when that is meant', async () => {
    await fs.createDirectory(uriOf(view, 'a'));
    await write('a/x', '1');
    await assert.rejects(async () => await fs.delete(uriOf(view, 'a')));
    await fs.delete(uriOf(view, 'a'), { recursive: true });
    assert.deepEqual(await fs.readDirectory(uriOf(view, '')), []);
  });

  const refused: [what: string, code: string, work: () => Thenable<unknown>][] = [
    ['reading what is not there', 'FileNotFound', () => fs.readFile(uriOf(view, 'none'))],
    ['reading a folder', 'FileIsADirectory', () => fs.readFile(uriOf(view, 'folder'))],
    ['listing a file', 'FileNotADirectory', () => fs.readDirectory(uriOf(view, 'file'))],
    ['making a folder where a file is', 'FileExists', () => fs.createDirectory(uriOf(view, 'file'))],
    ['renaming over a file', 'FileExists', () => fs.rename(uriOf(view, 'file'), uriOf(view, 'other'))],
    ['writing what belongs to Spoon', 'NoPermissions', () => write('.spoon', 'x')],
    ['writing into a checkout', 'NoPermissions', () => write('Code', 'x')],
  ];
  for (const [what, code, work] of refused) {
    it(`answer ${what} with ${code}`, async () => {
      await fs.createDirectory(uriOf(view, 'folder'));
      await write('file', '1');
      await write('other', '2');
      await assert.rejects(async () => await work(), { code });
      assert.equal(await read('file'), '1');
    });
  }

  it('of more than 10 MiB are refused with what to do', async () => {
    const big = new Uint8Array(10 * 1024 * 1024 + 1);
    await assert.rejects(async () => await fs.writeFile(uriOf(view, 'big'), big), /10 MiB/);
  });

  it('of another account are refused', async () => {
    const uri = uriOf(view, '.bashrc').with({ authority: '00000000-somebody' });
    await assert.rejects(async () => await fs.readFile(uri), /another account/);
  });

  it('follow what another window does, and tell who watches', async () => {
    const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(uriOf(view, ''), '**'));
    const seen: string[] = [];
    watcher.onDidCreate(({ path }) => seen.push(`created ${path}`));
    watcher.onDidChange(({ path }) => seen.push(`changed ${path}`));
    watcher.onDidDelete(({ path }) => seen.push(`deleted ${path}`));
    try {
      await until('the watcher is set', async () => {
        const probe = await anotherWindow().save(`probe${Math.random()}`, bytesOf(''), {
          base: 'create',
          origin: 'api',
        });
        await new Promise((resolve) => setTimeout(resolve, 100));
        return seen.length > 0 || probe === undefined;
      });
      const { dotfile } = await anotherWindow().save('x', bytesOf('1'), { base: 'create', origin: 'api' });
      await until('created', () => seen.includes('created /x'));
      await anotherWindow().save('x', bytesOf('2'), { base: dotfile, origin: 'api' });
      await until('changed', () => seen.includes('changed /x'));
      assert.equal(await read('x'), '2');
      await anotherWindow().remove('x');
      await until('deleted', () => seen.includes('deleted /x'));
    } finally {
      watcher.dispose();
    }
  });
});
