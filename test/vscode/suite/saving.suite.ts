import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { TestView } from '../../../extension/extension.ts';
import { anotherWindow, bytesOf, closeAllEditors, signedIn, textOf, until, uriOf } from './window.ts';

describe('saving in the editor', () => {
  let view: TestView;
  let count = 0;
  /** Another one for each test: VS Code keeps closed documents for a while. */
  let name = '';
  beforeEach(async () => {
    view = await signedIn();
    count += 1;
    name = `file${count}`;
  });
  afterEach(closeAllEditors);

  async function open(path: string, text: string): Promise<vscode.TextDocument> {
    await vscode.workspace.fs.writeFile(uriOf(view, path), bytesOf(text));
    const document = await vscode.workspace.openTextDocument(uriOf(view, path));
    await vscode.window.showTextDocument(document, { preview: false });
    return document;
  }

  async function type(document: vscode.TextDocument, text: string): Promise<void> {
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, new vscode.Range(0, 0, document.lineCount, 0), text);
    assert.ok(await vscode.workspace.applyEdit(edit));
  }

  async function changeElsewhere(path: string, text: string): Promise<void> {
    const { etag } = await anotherWindow().read(path);
    await anotherWindow().save(path, bytesOf(text), { base: { etag }, origin: 'api' });
  }

  const stored = async (path: string) => textOf((await anotherWindow().read(path)).bytes);

  it('stores what was typed', async () => {
    const document = await open(name, 'one');
    await type(document, 'two');
    assert.ok(await document.save());
    assert.equal(await stored(name), 'two');
    assert.equal(document.isDirty, false);
  });

  it('costs one request', async () => {
    const document = await open(name, 'one');
    const { dotfiles } = view.current.require();
    let lists = 0;
    const refresh = dotfiles.refresh.bind(dotfiles);
    dotfiles.refresh = async () => {
      lists += 1;
      await refresh();
    };
    for (const text of ['two', 'three', 'four']) {
      await type(document, text);
      assert.ok(await document.save());
    }
    assert.equal(lists, 0);
    assert.equal(await stored(name), 'four');
  });

  it('reads a clean document again when it changes elsewhere', async () => {
    const document = await open(name, 'one');
    await changeElsewhere(name, 'two');
    await until('the document follows', () => document.getText() === 'two');
  });

  it('does not overwrite a change of another size: VS Code asks', async () => {
    const document = await open(name, 'one');
    await type(document, 'mine');
    await changeElsewhere(name, 'something longer');
    await until('the change is known', () => view.current.require().dotfiles.entry(name)?.dotfile?.size === 16);
    assert.equal(await document.save(), false);
    assert.ok(document.isDirty);
    assert.equal(await stored(name), 'something longer');
  });

  it('does not overwrite a change of the same size, which VS Code cannot see', async () => {
    const document = await open(name, 'aaa');
    await type(document, 'bbbb');
    await changeElsewhere(name, 'ccc');
    await until('the change is known', () => view.current.require().dotfiles.entry(name)?.dotfile?.version === 2);
    // In tests VS Code refuses to show the question, which counts as no answer.
    assert.equal(await document.save(), false);
    assert.ok(document.isDirty);
    assert.equal(await stored(name), 'ccc');
  });

  it('goes through when the other change ended in the very same bytes', async () => {
    const document = await open(name, 'aaa');
    await type(document, 'bbb');
    await changeElsewhere(name, 'bbb');
    await until('the change is known', () => view.current.require().dotfiles.entry(name)?.dotfile?.version === 2);
    assert.ok(await document.save());
    assert.equal(await stored(name), 'bbb');
  });

  it('goes through when only the mode was changed elsewhere', async () => {
    const document = await open(name, 'aaa');
    await type(document, 'bbb');
    const { etag } = await anotherWindow().read(name);
    await anotherWindow().save(name, bytesOf('aaa'), { base: { etag }, origin: 'api', mode: 0o755 });
    await until('the change is known', () => view.current.require().dotfiles.entry(name)?.dotfile?.version === 2);
    assert.ok(await document.save());
    assert.equal(await stored(name), 'bbb');
    assert.equal((await anotherWindow().read(name)).mode, 0o755);
  });

  for (const [size, theirs] of [
    ['same', 'ccc'],
    ['another', 'cccc'],
  ] as const) {
    it(`is refused, and nothing lost, when the file changes to ${size} size during the save`, async () => {
      const document = await open(name, 'aaa');
      await type(document, 'bbbbb');
      const { dotfiles } = view.current.require();
      const save = dotfiles.save.bind(dotfiles);
      // Between VS Code's check and the request: the one moment that the test has to make.
      dotfiles.save = async (...args) => {
        dotfiles.save = save;
        await changeElsewhere(name, theirs);
        return await save(...args);
      };
      assert.equal(await document.save(), false);
      assert.ok(document.isDirty);
      assert.equal(await stored(name), theirs);
      assert.equal(dotfiles.entry(name)?.dotfile?.version, 2);
      // And the next one finds it: VS Code asks, or for the same size this extension does.
      assert.equal(await document.save(), false);
      assert.equal(await stored(name), theirs);
    });
  }

  it('makes the file again when it was deleted elsewhere', async () => {
    const document = await open(name, 'aaa');
    await type(document, 'bbb');
    await anotherWindow().remove(name);
    await until('the removal is known', () => view.current.require().dotfiles.entry(name) === undefined);
    assert.ok(await document.save());
    assert.equal(await stored(name), 'bbb');
  });

  it('keeps up with many saves, one after the other', async () => {
    const document = await open(name, '0');
    for (let round = 1; round <= 20; round++) {
      await type(document, `${round}`);
      assert.ok(await document.save(), `save ${round}`);
    }
    assert.equal(await stored(name), '20');
  });

  it('renames an open, unsaved document with its changes', async () => {
    const document = await open(name, 'aaa');
    await type(document, 'bbb');
    const edit = new vscode.WorkspaceEdit();
    edit.renameFile(document.uri, uriOf(view, `${name}b`));
    assert.ok(await vscode.workspace.applyEdit(edit));
    const renamed = vscode.window.activeTextEditor?.document;
    assert.equal(renamed?.uri.path, `/${name}b`);
    assert.equal(renamed?.getText(), 'bbb');
  });
});
