import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isIgnored, isIgnoredName } from '../../protocol/ignoredFiles.ts';
import { dotfilesSets, expectedInHome, type Facts } from '../fixtures/dotfilesSets.fixture.ts';
import type { RunningService, TestUser } from '../runningService.ts';
import { SignedInWindow } from './signedInWindow.ts';
import type { Workbench } from './workbench.ts';

// Dotfiles as people have them, by each way that a window has for a whole folder, and then looked at in a real container.
describe('three sets of dotfiles in VS Code', { concurrency: false, timeout: 600_000 }, () => {
  let home: SignedInWindow;
  let service: RunningService;
  let user: TestUser;
  let window: Workbench;

  before(async () => {
    home = await SignedInWindow.open({ engine: 'docker' });
    ({ service, user, window } = home);
    await service.inBox(user, 'true');
    await home.showTree();
  });
  after(() => home?.[Symbol.asyncDispose]());

  /** By the name of a folder of the window, which the Explorer shows. */
  function make(name: string): { folder: string; count: number } {
    const set = dotfilesSets.find((candidate) => candidate.name === name);
    assert.ok(set);
    const folder = join(window.folder, name);
    mkdirSync(folder);
    return { folder, count: set.make(folder) };
  }

  /** As `listing` has it, found out inside the box by its own tools. */
  async function inBox(): Promise<Map<string, Facts>> {
    const script = `cd ~ && find . -path ./.spoon -prune -o -type l -printf '%P\\0link %l\\0' -o -type f -print0 -exec stat --printf '%a %s ' {} \\; -exec sha256sum -z {} \\;`;
    const { code, stdout, stderr } = await service.commandInBox(user, ['bash', '-c', script]);
    assert.equal(code, 0, stderr);
    const found = new Map<string, Facts>();
    const fields = stdout.split('\0');
    for (let at = 0; at + 1 < fields.length; at += 2) {
      const [path = '', facts = ''] = fields.slice(at, at + 2);
      if (facts.startsWith('link ')) found.set(path, facts);
      // sha256sum names the file after the sum.
      else found.set(path.slice('./'.length), facts.split(' ').slice(0, 3).join(' '));
    }
    return found;
  }

  async function arrives(wanted: Map<string, Facts>, count: number): Promise<void> {
    assert.equal(wanted.size, count);
    const missing = async (): Promise<string[]> => {
      const kept = new Set((await home.dotfiles()).map(({ path }) => path));
      return [...wanted.keys()].filter((path) => !kept.has(path));
    };
    await window
      .until(async () => (await missing()).length === 0)
      .catch(async () => assert.deepEqual(await missing(), []));
    const found = await inBox();
    for (const [path, facts] of wanted) assert.equal(found.get(path), facts, path);
  }

  it('imports one into the home, byte for byte and mode for mode', async () => {
    const { folder, count } = make('neovim');
    await window.command('Spoon: Import Folder into Home…');
    await window.answerFileDialog('Import What Is in a Folder', `${folder}/`, 'Import');
    await arrives(expectedInHome(folder, '', { leavesOut: isIgnored, absolute: 'followed' }), count);
    await window.picture('set-neovim');
  });

  it('takes one that is dragged over from the Explorer, with its links and its names of every kind', async () => {
    const { folder, count } = make('stow');
    await window.dragFromExplorer('stow', window.row('.zshrc'));
    const leavesOut = (path: string): boolean => path.split('/').some(isIgnoredName);
    await arrives(expectedInHome(folder, 'stow', { leavesOut, absolute: 'followed' }), count);
    await window.picture('set-stow');
  });

  it('uploads one as a folder, with modes of every kind', async () => {
    const { folder, count } = make('desktop');
    // From the palette it goes beside what is selected.
    await window.openRow('.zshrc');
    await window.command('Spoon: Upload Dotfiles Folder…');
    await window.answerFileDialog('Upload a Folder of Dotfiles into ~', `${folder}/`, 'Upload');
    const leavesOut = (path: string): boolean => path.split('/').some(isIgnoredName);
    // What programs make again is left out at the top of a home, and here it is not at the top.
    await arrives(expectedInHome(folder, 'desktop', { leavesOut, absolute: 'followed' }), count + 1);
    await window.picture('set-desktop');
  });
});
