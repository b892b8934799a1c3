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

  it('ignores what a workspace says about the service', async () => {
    const inspected = vscode.workspace.getConfiguration('spoon').inspect('service.url');
    assert.equal(inspected?.workspaceValue, undefined);
    assert.equal(vscode.workspace.getConfiguration('spoon').get('service.url'), '');
  });
});
