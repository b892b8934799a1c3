import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { GitServer } from '../boxd/testing/gitServer.ts';
import { publishTree } from '../boxd/testing/publishTree.ts';
import type { RepositoryState } from '../protocol/repository.ts';
import { RunningService } from '../test/runningService.ts';
import { compare, type Row } from './ratio.ts';

const fileCount = 300;
/** Goes onto Spoon's side. */
const pollMs = 20;
const path = '/v1/environment/repository';
const byHand = [
  'set -e; rm -rf ~/.dotfiles; start=$(date +%s%N)',
  'git clone --quiet "$1" ~/.dotfiles; cd ~/.dotfiles; bash install.sh > /dev/null',
  'echo $(( ($(date +%s%N) - start) / 1000000 ))',
].join('\n');

/** Clone and setup of 300 files, ms, told to a client: in a process box, which reaches the git server of this machine. */
export async function cloneAndSetup(): Promise<Row> {
  await using git = await GitServer.start();
  const folder = await mkdtemp(join(tmpdir(), 'spoon-bench-'));
  try {
    const ca = join(folder, 'ca.pem');
    await writeFile(ca, git.ca);
    const environment = { SPOON_GIT_HOSTS: git.host, SPOON_CA_FILE: ca };
    await using service = await RunningService.start({ engine: 'process', environment });
    const user = await service.addUser('Bench');
    const files = Array.from({ length: fileCount }, (_, index) => [`config/${index}`, `${index}\n`.repeat(500)]);
    const install = 'cd "$(dirname "$0")"; for f in config/*; do ln -sfn "$PWD/$f" ~/.bench-$(basename $f); done';
    const { url } = publishTree(git, 'bench', { ...Object.fromEntries(files), 'install.sh': install });
    await service.inBox(user, 'true');
    const ask = async (method: string, suffix = '', body?: unknown): Promise<RepositoryState> => {
      const init =
        body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      const answer = await service.fetch(user, `${path}${suffix}`, { method, ...init });
      assert.equal(answer.status, 200, await answer.clone().text());
      return (await answer.json()) as RepositoryState;
    };
    const ended = async (first: RepositoryState): Promise<void> => {
      let state = first;
      while (state.run?.state === 'running') {
        await delay(pollMs);
        state = await ask('GET');
      }
      assert.equal(state.run?.state, 'ok', JSON.stringify(state.run));
    };
    await ended(await ask('PUT', '', { url }));
    return await compare({
      name: 'clone and setup of a dotfiles repository, 300 files',
      reference: 'git clone and bash install.sh typed in the same box',
      goal: 1.15,
      better: 'lower',
      unit: 'ms',
      pairs: 7,
      measureSpoon: async () => {
        await service.inBox(user, 'rm', '-rf', '.dotfiles');
        const start = performance.now();
        await ended(await ask('POST', '/run', {}));
        return performance.now() - start;
      },
      measureReference: async () => Number(await service.inBox(user, 'bash', '-c', byHand, 'bench', url)),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
