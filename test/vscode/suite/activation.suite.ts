import assert from 'node:assert/strict';
import * as vscode from 'vscode';

describe('activation', () => {
  it('registers every command of the manifest', async () => {
    const extension = vscode.extensions.getExtension('spoon-dev.spoon');
    assert.ok(extension);
    await extension.activate();
  });
});
