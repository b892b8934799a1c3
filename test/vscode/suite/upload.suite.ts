import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { planUpload } from '../../../extension/dotfiles/dropPlan.ts';
import { upload, uploadRest } from '../../../extension/dotfiles/upload.ts';
import type { Source } from '../../../extension/dotfiles/uploadSources.ts';
import type { TestView } from '../../../extension/extension.ts';
import { anotherWindow, bytesOf, closeAllEditors, signedIn, textOf, until } from './window.ts';

describe('an upload from the disk beside the extension', () => {
  let view: TestView;
  let disk: string;
  beforeEach(async () => {
    view = await signedIn();
    disk = await mkdtemp(join(tmpdir(), 'spoon-disk-'));
  });
  afterEach(async () => {
    await closeAllEditors();
    await rm(disk, { recursive: true });
  });

  async function put(path: string, text = path, mode = 0o644): Promise<void> {
    await mkdir(dirname(join(disk, path)), { recursive: true });
    await writeFile(join(disk, path), text);
    await chmod(join(disk, path), mode);
  }

  async function drop(...names: string[]): Promise<void> {
    const items = new vscode.DataTransfer();
    const uris = names.map((name) => vscode.Uri.file(join(disk, name)).toString());
    items.set('text/uri-list', new vscode.DataTransferItem(uris.join('\r\n')));
    await view.drops.handleDrop(undefined, items);
  }

  const stored = async () =>
    Object.fromEntries(
      (await anotherWindow().list())
        .map(({ path, kind, mode }) => [path, `${kind} ${mode.toString(8)}`])
        .sort(([one = ''], [other = '']) => (one < other ? -1 : 1)),
    );

  it('keeps modes, links, empty files and empty folders', async () => {
    await put('nvim/init.lua');
    await put('nvim/bin/run', '#!/bin/sh\n', 0o755);
    await put('nvim/bin/plain', '#!/bin/sh\n', 0o600);
    await put('nvim/empty', '');
    await mkdir(join(disk, 'nvim/after'));
    await symlink('bin/run', join(disk, 'nvim/run'));
    await symlink('../nvim', join(disk, 'nvim/loop'));
    await drop('nvim');
    assert.deepEqual(await stored(), {
      'nvim/after': 'directory 755',
      'nvim/bin/plain': 'file 600',
      'nvim/bin/run': 'file 755',
      'nvim/empty': 'file 644',
      'nvim/init.lua': 'file 644',
      'nvim/run': 'symlink 777',
    });
    assert.equal(textOf((await anotherWindow().read('nvim/run')).bytes), 'bin/run');
  });

  it('takes what a link elsewhere leads to, keeps one that leads nowhere, and refuses folders', async () => {
    await put('dotfiles/bashrc', 'export A=1\n', 0o600);
    await put('ok');
    await symlink(join(disk, 'dotfiles/bashrc'), join(disk, '.bashrc'));
    await symlink(join(disk, 'dotfiles'), join(disk, '.config'));
    await symlink(join(disk, 'gone'), join(disk, '.gone'));
    await drop('.bashrc', '.config', '.gone', 'ok');
    assert.deepEqual(await stored(), { '.bashrc': 'file 600', '.gone': 'symlink 777', ok: 'file 644' });
    assert.equal(textOf((await anotherWindow().read('.bashrc')).bytes), 'export A=1\n');
  });

  it('lets nobody read a key because of the disk that it lay on', async () => {
    await put('.ssh/config', 'Host *\n', 0o644);
    await drop('.ssh');
    assert.deepEqual(await stored(), { '.ssh/config': 'file 600' });
  });

  it('refuses what is no file without waiting for it', async () => {
    const socket = createServer().listen(join(disk, 'agent.sock'));
    try {
      await put('plain');
      await drop('agent.sock', 'plain');
      assert.deepEqual(Object.keys(await stored()), ['plain']);
    } finally {
      socket.close();
    }
  });

  it('says what cannot be in a home, and the rest goes in', async () => {
    await put('Code/api/x');
    await put('.spoon/manifest');
    await put('big', 'x'.repeat(10 * 1024 * 1024 + 1));
    await put('ok');
    await drop('Code', '.spoon', 'big', 'ok');
    assert.deepEqual(Object.keys(await stored()), ['ok']);
  });

  it('writes names of every kind, byte for byte', async () => {
    const names = ['a b', 'hash#tag', '100%', '50%25', '🥄 spoon', '-rf', "it's", 'ümlaut', '$HOME', '[x]', 'q?'];
    for (const name of names) await put(`names/${name}`, name);
    await drop('names');
    assert.deepEqual(Object.keys(await stored()), names.map((name) => `names/${name}`).sort());
    for (const name of names) {
      assert.equal(textOf((await anotherWindow().read(`names/${name}`)).bytes), name);
    }
  });

  describe('while somebody else saves', () => {
    const known = (path: string) => view.current.require().dotfiles.entry(path)?.dotfile;
    const theirs = async (path: string) => {
      const { dotfile } = await anotherWindow().save(path, bytesOf('theirs'), {
        base: known(path) ?? 'create',
        origin: 'api',
      });
      await until('known', () => known(path)?.etag === dotfile.etag);
    };
    const source = (name: string, text: string, meanwhile: () => Promise<void> = async () => undefined): Source => ({
      name,
      kind: 'file',
      size: text.length,
      read: async () => {
        await meanwhile();
        return bytesOf(text);
      },
    });

    it('replaces nothing that nobody was asked about', async () => {
      const sources = [source('new', 'mine', () => theirs('new')), source('other', 'mine')];
      const result = await upload(view.current.require(), '', { sources, refused: [], excluded: 0 });
      assert.deepEqual(result?.stored, ['other']);
      assert.match(result.refused[0]?.why ?? '', /exists already/);
      assert.equal(textOf((await anotherWindow().read('new')).bytes), 'theirs');
    });

    it('plans the rest of an interrupted upload again, without what has arrived', async () => {
      const sources = ['taken', 'arrived', 'left'].map((name) => source(name, 'mine!!'));
      const { create } = planUpload(sources, { folder: '', existing: known });
      await theirs('taken');
      await anotherWindow().save('arrived', bytesOf('mine!!'), { base: 'create', origin: 'import' });
      const interrupted = { stored: [], refused: [], unsent: create, suspects: [], total: 3, interruption: undefined };
      // In tests VS Code refuses to show the question, so nobody agrees to anything.
      await Promise.allSettled([uploadRest(view.current.require(), '', interrupted)]);
      assert.equal(textOf((await anotherWindow().read('taken')).bytes), 'theirs');
      const free = { ...interrupted, unsent: create.filter(({ path }) => path !== 'taken') };
      const rest = await uploadRest(view.current.require(), '', free);
      assert.deepEqual([rest?.stored, rest?.total], [['arrived', 'left'], 2]);
      assert.equal((await anotherWindow().history('arrived')).versions.length, 1);
    });
  });
});
