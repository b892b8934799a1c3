import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { packageExtension } from '../../scripts/buildExtension.ts';
import { RunningService, type TestUser } from '../runningService.ts';
import { Workbench } from './workbench.ts';

// Each action of the tree as a person does it, by mouse, by key and from the menus. One window for all of it.
describe('the Dotfiles tree in VS Code', { concurrency: false, timeout: 600_000 }, () => {
  let service: RunningService;
  let user: TestUser;
  let window: Workbench;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-tree-'));
    const vsix = await packageExtension(join(folder, 'spoon.vsix'));
    service = await RunningService.start({ engine: 'process' });
    user = await service.addUser('Ada Lovelace');
    const signInFile = join(folder, 'sign-in.json');
    await writeFile(signInFile, JSON.stringify({ url: service.url, token: user.token }));
    const environment = { SPOON_SIGN_IN_FILE: signInFile };
    window = await Workbench.open({ vsix, environment, pictures: process.env.SPOON_TEST_PICTURES });
    await window.showSpoonView();
    await window.hint('Upload Files…').waitFor();
  });
  after(async () => {
    await window?.[Symbol.asyncDispose]();
    await service?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const stored = async (): Promise<string[]> => {
    const { dotfiles } = (await (await service.fetch(user, '/v1/dotfiles')).json()) as {
      dotfiles: { path: string; mode: number; kind: string }[];
    };
    return dotfiles.map(({ path, mode, kind }) => `${path} ${kind === 'symlink' ? 'link' : mode.toString(8)}`).sort();
  };
  const storedIs = async (...expected: string[]): Promise<void> => {
    const before = [...expected].sort();
    await window
      .until(async () => JSON.stringify(await stored()) === JSON.stringify(before))
      .catch(async () => assert.deepEqual(await stored(), before));
  };
  it('acts by key on the row that has the focus, not on the one that was clicked before', async () => {
    for (const path of ['.a', '.b', '.c']) await service.put(user, path, path);
    await window.row('.a').click();
    await window.tab('.a').waitFor();
    await window.focusDotfiles();
    await window.page.keyboard.press('ArrowDown');
    await window.page.keyboard.press('F2');
    await window.answer('Rename .b', '.bb');
    await storedIs('.a 644', '.bb 644', '.c 644');
    await window.focusedRow('.bb').waitFor();
    await window.row('.a').click();
    await window.focusDotfiles();
    await window.page.keyboard.press('ArrowDown');
    await window.page.keyboard.press('Delete');
    await storedIs('.a 644', '.c 644');
    await window.pressNotificationButton('.bb was deleted', 'Undo');
    await storedIs('.a 644', '.bb 644', '.c 644');
    await window.focusedRow('.bb').waitFor();
  });

  it('copies and moves with the keys of the Explorer', async () => {
    await service.put(user, '.config/x', 'x');
    await window.row('.a').click();
    await window.row('.c').click({ modifiers: ['Control'] });
    await window.page.keyboard.press('Control+C');
    await window.row(/^\.config$/).click();
    await window.page.keyboard.press('Control+V');
    await storedIs('.a 644', '.bb 644', '.c 644', '.config/.a 644', '.config/.c 644', '.config/x 644');
    await window.focusedRow('.a').waitFor();
    await window.row('.bb').click();
    await window.focusDotfiles();
    await window.focusedRow('.bb').waitFor();
    await window.page.keyboard.press('Control+X');
    await window.picture('cut');
    await window.row(/^\.config$/).click();
    await window.page.keyboard.press('Control+V');
    await storedIs('.a 644', '.c 644', '.config/.a 644', '.config/.bb 644', '.config/.c 644', '.config/x 644');
  });
});
