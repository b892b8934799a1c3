import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { packageExtension } from '../buildExtension.ts';
import { findProgram } from '../provision/systemPackages.ts';
import { mustRun } from '../runCommand.ts';

/**
 * Brings the extension into VS Code where its command is at hand.
 * @returns what a person does next, in one line
 * @throws Error when it cannot be built or installed
 */
export async function prepareVscode(root: string, say: (text: string) => void): Promise<string> {
  const file = join(root, 'dist', 'spoon.vsix');
  const builtMs = await modifiedMs(file);
  if (builtMs < (await newestSourceMs(root))) {
    say('Packaging the extension for VS Code…');
    await packageExtension(file);
  }
  const code = await findProgram('code');
  if (code === undefined) return `In VS Code: Extensions: Install from VSIX…, then ${file}`;
  const stamp = join(root, 'dist', 'spoon.vsix.installed');
  const state = `${code} ${await modifiedMs(file)}`;
  if ((await readFile(stamp, 'utf8').catch(() => '')) !== state) {
    say('Installing the extension into VS Code…');
    await mustRun(code, ['--install-extension', file, '--force']);
    await mkdir(dirname(stamp), { recursive: true });
    await writeFile(stamp, state);
  }
  return 'Open VS Code; the Spoon extension is installed.';
}

async function newestSourceMs(root: string): Promise<number> {
  const folders = ['extension', 'client', 'protocol', 'media'];
  const inside = await Promise.all(
    folders.map((folder) => readdir(join(root, folder), { recursive: true, withFileTypes: true })),
  );
  const files = inside.flat().filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'));
  const paths = [...files.map((entry) => join(entry.parentPath, entry.name)), join(root, 'package.json')];
  return Math.max(...(await Promise.all(paths.map(modifiedMs))));
}

/** 0 for a file that is not there. */
async function modifiedMs(file: string): Promise<number> {
  return stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}
