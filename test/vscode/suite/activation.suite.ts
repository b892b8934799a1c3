import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { commandIds } from '../../../extension/commandIds.ts';
import { activate } from './window.ts';

describe('activation', () => {
  it('takes less than 150 ms and waits for no network', async () => {
    const { activationMs } = await activate();
    assert.ok(activationMs < 150, `${activationMs} ms`);
  });

  it('registers every command of the manifest and no other', async () => {
    await activate();
    // VS Code makes commands of its own for each view and container.
    const registered = (await vscode.commands.getCommands(true)).filter(
      (id) =>
        id.startsWith('spoon.') &&
        !/^spoon\.dotfiles\.(open|focus|resetViewLocation|removeView|toggleVisibility)$/.test(id),
    );
    const expected = commandIds.filter((id) => id !== 'spoon.dotfiles.open');
    assert.deepEqual(
      registered.filter((id) => commandIds.includes(id as (typeof commandIds)[number])).sort(),
      [...expected].sort(),
    );
    assert.ok((await vscode.commands.getCommands(true)).includes('spoon.dotfiles.open'));
  });

  it('shows nobody as signed in before anybody has signed in', async () => {
    const { current } = await activate();
    await current.ready;
    assert.equal(current.state.name, 'signedOut');
    assert.equal(await vscode.authentication.getSession('spoon', [], { silent: true }), undefined);
  });

  it('ignores what a workspace says about the service, and says nothing to it', async () => {
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    assert.ok(folder);
    const planted = await vscode.workspace.fs.readFile(vscode.Uri.joinPath(folder.uri, '.vscode/settings.json'));
    const wanted = JSON.parse(new TextDecoder().decode(planted)) as Record<string, unknown>;
    assert.ok(Object.keys(wanted).length >= 4, 'the folder asks for another server, certificate and upload');
    for (const key of Object.keys(wanted)) {
      const configuration = vscode.workspace.getConfiguration();
      assert.deepEqual(configuration.get(key), configuration.inspect(key)?.defaultValue, key);
    }
  });
});
