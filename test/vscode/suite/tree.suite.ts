import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { TestView } from '../../../extension/extension.ts';
import { anotherWindow, bytesOf, closeAllEditors, signedIn, textOf, until, uriOf } from './window.ts';

describe('the Dotfiles tree', () => {
  let view: TestView;
  beforeEach(async () => {
    view = await signedIn();
  });
  afterEach(closeAllEditors);

  const put = (path: string, text = path, mode?: number) =>
    anotherWindow().save(path, bytesOf(text), {
      base: 'create',
      origin: 'api',
      ...(mode === undefined ? {} : { mode }),
    });
  const has = (path: string) => view.current.require().dotfiles.entry(path) !== undefined;
  const shown = (folder?: string): string[] =>
    view.tree
      .getChildren(folder === undefined ? undefined : { path: folder })
      .filter(({ hint }) => hint === undefined)
      .map(({ path }) => path);
  const stored = async () => (await anotherWindow().list()).map(({ path }) => path).sort();

  it('shows what another window adds, moves and removes', async () => {
    await put('.config/git/config');
    await until('added', () => has('.config/git/config'));
    assert.deepEqual(
      [shown(), shown('.config'), shown('.config/git')],
      [['.config'], ['.config/git'], ['.config/git/config']],
    );
    await anotherWindow().move('.config/git', '.config/jj');
    await until('moved', () => shown('.config').includes('.config/jj'));
    assert.deepEqual(shown('.config'), ['.config/jj']);
    await anotherWindow().remove('.config', { recursive: true });
    await until('removed', () => shown().length === 0);
  });

  it('has items that assistive technology, menus and icon themes understand', async () => {
    await put('bin/run.sh', '#!/bin/sh\n', 0o755);
    await until('added', () => has('bin/run.sh'));
    const file = view.tree.getTreeItem(view.tree.node('bin/run.sh'));
    assert.equal(file.contextValue, 'file mode executable');
    assert.equal(file.accessibilityInformation?.label, 'run.sh, file, executable');
    assert.equal(file.resourceUri?.toString(), uriOf(view, 'bin/run.sh').toString());
    assert.equal(view.tree.getTreeItem(view.tree.node('bin')).contextValue, 'folder mode');
    const { tooltip } = await view.tree.resolveTreeItem(file, view.tree.node('bin/run.sh'));
    assert.match(tooltip instanceof vscode.MarkdownString ? tooltip.value : '', /mode&nbsp;755/);
  });

  it('deletes several at once, and Undo is in the message', async () => {
    for (const path of ['a', 'b/c', 'd']) await put(path);
    await until('added', () => has('d'));
    await vscode.commands.executeCommand('spoon.dotfiles.delete', { path: 'a' }, [{ path: 'a' }, { path: 'b' }]);
    assert.deepEqual(await stored(), ['d']);
  });

  it('deletes nothing where the menu has lost its row, whatever is selected', async () => {
    for (const path of ['kept', 'chosen']) await put(path);
    await until('added', () => has('chosen'));
    await view.tree.show('kept');
    await until('selected', () => view.tree.selection.some(({ path }) => path === 'kept'));
    await vscode.commands.executeCommand('spoon.dotfiles.delete', undefined);
    await vscode.commands.executeCommand('spoon.dotfiles.delete', { path: 'chosen' }, [{ path: 'chosen' }, undefined]);
    assert.deepEqual(await stored(), ['chosen', 'kept']);
    await vscode.commands.executeCommand('spoon.dotfiles.delete');
    assert.deepEqual(await stored(), ['chosen'], 'the palette means what is selected');
  });

  it('copies paths as the shell has them', async () => {
    await put('a b');
    await until('added', () => has('a b'));
    await vscode.commands.executeCommand('spoon.dotfiles.copyPath', { path: 'a b' });
    assert.equal(await vscode.env.clipboard.readText(), '/home/ada/a b');
  });

  it('moves what is dragged inside it', async () => {
    for (const path of ['x', 'folder/y']) await put(path);
    await until('added', () => has('folder/y'));
    const items = new vscode.DataTransfer();
    view.drops.handleDrag([{ path: 'x' }], items);
    await view.drops.handleDrop({ path: 'folder' }, items);
    assert.deepEqual(await stored(), ['folder/x', 'folder/y']);
  });

  describe('when what moves is open in an editor', () => {
    const open = async (path: string) => {
      await until('added', () => has(path));
      await vscode.window.showTextDocument(uriOf(view, path), { preview: false });
    };

    it('never replaces a folder by a file, nor a file by a folder', async () => {
      for (const path of ['nvim', 'conf/nvim/init.lua', 'a/b/c', 'b']) await put(path);
      const before = await stored();
      await open('nvim');
      await open('a/b/c');
      await assert.rejects(view.edit.move([{ from: 'nvim', to: 'conf/nvim', overwrite: true }]), {
        code: 'path-kind-conflict',
      });
      await assert.rejects(view.edit.move([{ from: 'a/b', to: 'b', overwrite: true }]), { code: 'path-kind-conflict' });
      assert.deepEqual(await stored(), before);
    });

    it('replaces a whole folder by a folder', async () => {
      for (const path of ['new/a', 'old/new/a', 'old/new/b']) await put(path);
      await open('new/a');
      await view.edit.move([{ from: 'new', to: 'old/new', overwrite: true }]);
      assert.deepEqual(await stored(), ['old/new/a']);
      await until('known', () => !has('old/new/b') && !has('new'));
    });

    it('replaces a file in one step, and the editor goes along with what is not saved', async () => {
      for (const path of ['one', 'folder/two']) await put(path);
      await open('one');
      const edit = new vscode.WorkspaceEdit();
      edit.insert(uriOf(view, 'one'), new vscode.Position(0, 0), 'unsaved ');
      assert.ok(await vscode.workspace.applyEdit(edit));
      await view.edit.move([{ from: 'one', to: 'folder/two', overwrite: true }]);
      assert.deepEqual(await stored(), ['folder/two']);
      await until('the editor follows', () => {
        const document = vscode.window.activeTextEditor?.document;
        return document?.uri.path === '/folder/two' && document.getText() === 'unsaved one' && document.isDirty;
      });
    });

    it('says that nothing was moved, and why', async () => {
      await put('x');
      await open('x');
      await put('late');
      await until('added', () => has('late'));
      const moving = view.edit.move([{ from: 'x', to: 'late', overwrite: false }]);
      await assert.rejects(moving, { message: 'The file exists already. late is there already. x was not moved.' });
      const reserved = view.edit.move([{ from: 'x', to: '.spoon/x', overwrite: false }]);
      await assert.rejects(reserved, { code: 'path-reserved', message: /x was not moved\.$/ });
      assert.deepEqual(await stored(), ['late', 'x']);
    });
  });

  it('takes files and whole folders that are dropped from outside, but what is excluded', async () => {
    const base = vscode.Uri.joinPath(vscode.Uri.file(process.env.SPOON_TEST_FOLDER ?? ''), `drop${Date.now()}`);
    const { fs } = vscode.workspace;
    for (const path of ['nvim/init.lua', 'nvim/lua/deep/x.lua', 'nvim/.git/HEAD', 'nvim/node_modules/m/index.js']) {
      await fs.writeFile(vscode.Uri.joinPath(base, path), bytesOf(path));
    }
    await fs.createDirectory(vscode.Uri.joinPath(base, 'nvim/empty'));
    await fs.writeFile(vscode.Uri.joinPath(base, '.vimrc'), bytesOf('set number\n'));
    const items = new vscode.DataTransfer();
    const uris = ['nvim', '.vimrc'].map((name) => vscode.Uri.joinPath(base, name).toString());
    items.set('text/uri-list', new vscode.DataTransferItem(uris.join('\r\n')));
    await view.drops.handleDrop(undefined, items);
    assert.deepEqual(await stored(), ['.vimrc', 'nvim/empty', 'nvim/init.lua', 'nvim/lua/deep/x.lua']);
    assert.equal(textOf((await anotherWindow().read('.vimrc')).bytes), 'set number\n');
  });

  it('uploads what is chosen in the Explorer', async () => {
    const file = vscode.Uri.joinPath(vscode.Uri.file(process.env.SPOON_TEST_FOLDER ?? ''), `upload${Date.now()}`);
    await vscode.workspace.fs.writeFile(file, bytesOf('echo\n'));
    await chmod(file.fsPath, 0o750);
    await vscode.commands.executeCommand('spoon.dotfiles.uploadResources', file, [file]);
    const name = file.path.slice(file.path.lastIndexOf('/') + 1);
    assert.deepEqual(await stored(), [name]);
    assert.equal((await anotherWindow().read(name)).mode, 0o750);
  });

  it('shows 1,000 dotfiles within 300 ms of being listed', async () => {
    const other = anotherWindow();
    const paths = Array.from({ length: 1000 }, (_, index) => `many/folder${index % 20}/file${index}`);
    for (let start = 0; start < paths.length; start += 20) {
      await Promise.all(
        paths
          .slice(start, start + 20)
          .map((path) => other.save(path, bytesOf(path), { base: 'create', origin: 'api' })),
      );
    }
    const { dotfiles } = view.current.require();
    await until('all known', () => dotfiles.count === 1000, 30_000);
    const rounds: number[] = [];
    // One hiccup of a shared machine is not what people feel every day.
    for (let round = 0; round < 3; round++) {
      const startedMs = performance.now();
      await dotfiles.refresh();
      const files = shown('many').flatMap((folder) => shown(folder));
      for (const path of files) view.tree.getTreeItem(view.tree.node(path));
      rounds.push(performance.now() - startedMs);
      assert.equal(files.length, 1000);
    }
    const tookMs = Math.min(...rounds);
    console.log(`      1,000 dotfiles: ${rounds.map((ms) => ms.toFixed(0)).join(', ')} ms`);
    assert.ok(tookMs < 300, `${tookMs} ms`);
    await other.remove('many', { recursive: true });
    await until('gone', () => dotfiles.count === 0, 30_000);
  }).timeout(120_000);
});
