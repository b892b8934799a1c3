import assert from 'node:assert/strict';
import * as vscode from 'vscode';

describe('activation', () => {
  it('registers every command of the manifest', async () => {
    const extension = vscode.extensions.getExtension('spoon-dev.spoon');
    assert.ok(extension);
    await extension.activate();
    if (process.env.CRASH) process.exit(7);
    if (process.env.FAIL) assert.equal(1, 2);
    console.log(process.version, vscode.version);
  });
});
