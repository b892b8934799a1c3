import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ensurePrograms } from '../../scripts/provision/systemPackages.ts';
import { runCommand } from '../../scripts/runCommand.ts';

const unit = join(import.meta.dirname, '..', '..', 'systemd', 'spoon.service');

// Nothing here runs it: that takes a machine that systemd has started. test/end-to-end/operatorsDay.test.ts runs what it says.
describe('the systemd unit', () => {
  let folder: string;
  before(async () => {
    await ensurePrograms([{ file: 'systemd-analyze', debianPackage: 'systemd' }], () => undefined);
    folder = await mkdtemp(join(tmpdir(), 'spoon-unit-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('has nothing that systemd does not know', async () => {
    const file = join(folder, 'spoon.service');
    const text = await readFile(unit, 'utf8');
    // What is not installed here would be all that it has to say.
    await writeFile(file, text.replace(/^ExecStart=.*$/m, 'ExecStart=/bin/true'));
    const { code, stdout, stderr } = await runCommand('systemd-analyze', ['verify', '--man=no', file]);
    assert.deepEqual([code, `${stdout}${stderr}`], [0, '']);
  });

  it('leaves the service no more than it needs, by the measure of systemd', async () => {
    await copyFile(unit, join(folder, 'spoon.service'));
    const args = ['security', '--offline=true', '--threshold=25', '--no-pager', join(folder, 'spoon.service')];
    const { code, stdout } = await runCommand('systemd-analyze', args);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /Overall exposure level for spoon\.service: 2\.\d/);
  });
});
