import assert from 'node:assert/strict';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { validate } from 'dockerfile-utils';
import { runCommand } from '../runCommand.ts';
import { readTools } from './tools.ts';

const dockerFolder = join(dirname(dirname(import.meta.dirname)), 'docker');
const tools = await readTools(dockerFolder);
const text = await readFile(join(dockerFolder, 'agent-job.Dockerfile'), 'utf8');

/** Instructions with their continuation lines and without comments. */
const instructions = text
  .split('\n')
  .filter((line) => !line.startsWith('#'))
  .join('\n')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter((line) => line.trim() !== '');

// Nothing here builds it: that takes Fedora's registry. This is all that can be known of it elsewhere.
describe('the Fedora Dockerfile', () => {
  it('has nothing that a linter complains about', () => {
    assert.deepEqual(
      validate(text).map(({ message, range }) => `line ${range.start.line + 1}: ${message}`),
      [],
    );
  });

  it('has shell in every RUN that a shell can parse', async () => {
    const runs = instructions.filter((line) => line.startsWith('RUN ')).map((line) => line.slice(4));
    assert.ok(runs.length >= 4);
    for (const run of runs) {
      const { code, stderr } = await runCommand('sh', ['-n', '-c', run]);
      assert.equal(code, 0, `${run}\n${stderr}`);
    }
  });

  it('copies only what is there, and from stages that there are', async () => {
    const stages = instructions.flatMap((line) => / AS (\S+)$/.exec(line)?.[1] ?? []);
    const copies = instructions.filter((line) => line.startsWith('COPY '));
    assert.ok(copies.length >= 6);
    for (const copy of copies) {
      const [, from, source = ''] = /^COPY (?:--from=(\S+) )?(\S+) \S+$/.exec(copy) ?? assert.fail(copy);
      if (from === undefined) await access(join(dockerFolder, source));
      else assert.ok(stages.includes(from), copy);
    }
  });

  it('reads from tools.json with sed what a parser reads', async () => {
    const [, command = ''] = /\$\((sed -n .*? \/tmp\/tools\.json)\)/.exec(text) ?? [];
    const line = command.replace('/tmp/tools.json', join(dockerFolder, 'tools.json'));
    const read = (await runCommand('sh', ['-c', line])).stdout.trim().split('\n');
    assert.deepEqual(
      read,
      tools.flatMap(({ fedora }) => fedora ?? []),
    );
  });

  it('has every command of the list, from Fedora, from npm or from a release', async () => {
    const { dependencies } = JSON.parse(await readFile(join(dockerFolder, 'npm', 'package.json'), 'utf8'));
    for (const { command, fedora, npm, release } of tools) {
      if (fedora !== null || command === null) continue;
      if (npm !== undefined) assert.ok(npm in dependencies, npm);
      else assert.ok(release === true && text.includes(`fetch-release ${command} `), command);
    }
  });

  it('states no digest or checksum of its own, and has no default for a pin', () => {
    assert.doesNotMatch(text, /[0-9a-f]{40,}/);
    const pins = instructions.filter((line) => line.startsWith('ARG '));
    assert.ok(pins.length >= 7);
    for (const pin of pins) assert.match(pin, /^ARG [A-Z0-9_]+$/);
  });

  for (const [what, version, sha256] of [
    ['no version', '', 'a'.repeat(64)],
    ['no checksum', '1.2.3', ''],
    ['half a checksum', '1.2.3', 'a'.repeat(32)],
    ['a version that is none', 'latest', 'a'.repeat(64)],
  ] as const) {
    it(`fails over a release with ${what}, before it fetches anything`, async () => {
      const script = join(dockerFolder, 'fetch-release.sh');
      const { code, stderr } = await runCommand('sh', [script, 'gum', version, sha256, 'https://localhost:1/gum']);
      assert.equal(code, 1);
      assert.match(stderr, /gum: it needs a version and a SHA-256.*\n.*pinFedora/);
    });
  }
});

describe('the programs from npm', () => {
  it('are pinned by a checksum each, for amd64 and arm64', async () => {
    const lock = JSON.parse(await readFile(join(dockerFolder, 'npm', 'package-lock.json'), 'utf8'));
    const entries = Object.entries<{ inBundle?: boolean; integrity?: string; version: string }>(lock.packages);
    const fetched = entries.filter(([path, { inBundle }]) => path !== '' && inBundle !== true);
    for (const [path, { integrity }] of fetched) assert.match(integrity ?? '', /^sha512-/, path);
    const names = fetched.map(([path]) => path);
    for (const machine of ['x64', 'arm64']) assert.ok(names.includes(`node_modules/@openai/codex-linux-${machine}`));
  });
});

describe('spoon.sh', () => {
  it('does nothing in a shell that is neither bash nor zsh', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spoon-profile-'));
    const line = `. ${join(dockerFolder, 'rootfs/etc/profile.d/spoon.sh')}; echo "after \${EDITOR-none}"`;
    const { stdout, stderr } = await runCommand('dash', ['-ic', line], {
      env: { PATH: process.env.PATH, HOME: folder },
    });
    await rm(folder, { recursive: true });
    assert.equal(stdout.trim(), 'after none');
    assert.doesNotMatch(stderr, /not found|[Ss]yntax|[Bb]ad/);
  });
});
