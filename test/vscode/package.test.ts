import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { packageExtension } from '../../scripts/buildExtension.ts';

const root = join(import.meta.dirname, '../..');

describe('the package', () => {
  let folder: string;
  let vsix: Buffer;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-package-'));
    vsix = await readFile(await packageExtension(join(folder, 'spoon.vsix')));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('holds what it needs and nothing else', () => {
    assert.deepEqual(namesInZip(vsix), [
      '[Content_Types].xml',
      'extension.vsixmanifest',
      'extension/LICENSE.txt',
      'extension/changelog.md',
      'extension/dist/extension.cjs',
      'extension/dist/libsodium.cjs',
      'extension/media/icon.png',
      'extension/media/spoon.svg',
      'extension/media/walkthrough/dotfiles.svg',
      'extension/media/walkthrough/live.svg',
      'extension/media/walkthrough/sign-in.svg',
      'extension/media/walkthrough/terminal.svg',
      'extension/package.json',
      'extension/package.nls.json',
      'extension/readme.md',
    ]);
  });

  it('is small, and loads no file but the cipher, and that not at its start', async (test) => {
    test.diagnostic(`${(vsix.length / 1024).toFixed(0)} KiB`);
    assert.ok(vsix.length < 1024 * 1024);
    const bundle = await readFile(join(root, 'dist/extension.cjs'), 'utf8');
    const required = [...bundle.matchAll(/require\("([^"]+)"\)/g)].map((match) => match[1] ?? '');
    const unknown = required.filter((name) => name !== 'vscode' && !process.getBuiltinModule(name));
    assert.deepEqual(unknown, ['./libsodium.cjs']);
    assert.match(bundle, /\.then\(\(\)=>\w+\(require\("\.\/libsodium\.cjs"\)/);
  });

  it('asks for no proposed API', async () => {
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
    assert.equal(manifest.enabledApiProposals, undefined);
  });
});

/** Names in the central directory of a zip file (APPNOTE.TXT 4.3.12). */
function namesInZip(zip: Buffer): string[] {
  const names: string[] = [];
  for (let at = zip.indexOf('PK\x01\x02'); at !== -1; at = zip.indexOf('PK\x01\x02', at + 4)) {
    names.push(zip.toString('utf8', at + 46, at + 46 + zip.readUInt16LE(at + 28)));
  }
  return names.sort();
}
