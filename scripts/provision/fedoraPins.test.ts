import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { pinsText, readPins } from './fedoraPins.ts';

const dockerfile = join(dirname(dirname(import.meta.dirname)), 'docker', 'agent-job.Dockerfile');
const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');

/** What the registry and the release pages answer, by path; the newest release redirects to its tag as GitHub's does. */
function pages(): Record<string, string> {
  const found: Record<string, string> = {
    '/v2/fedora/manifests/latest': '{"manifests": []}',
    '/charmbracelet/gum/releases/tag/v1.2.3': 'gum',
    '/JanDeDobbeleer/oh-my-posh/releases/tag/v4.5.6': 'posh',
  };
  for (const [folder, names] of [
    ['/charmbracelet/gum/releases/download/v1.2.3', ['gum_1.2.3_Linux_x86_64.tar.gz', 'gum_1.2.3_Linux_arm64.tar.gz']],
    ['/JanDeDobbeleer/oh-my-posh/releases/download/v4.5.6', ['posh-linux-amd64', 'posh-linux-arm64']],
  ] as const) {
    for (const name of names) found[`${folder}/${name}`] = `the bytes of ${name}`;
    found[`${folder}/checksums.txt`] = names.map((name) => `${sha256(`the bytes of ${name}`)}  ${name}\n`).join('');
  }
  return found;
}

async function pinsFrom(served: Record<string, string>): Promise<string> {
  const tags: Record<string, string> = { gum: 'v1.2.3', 'oh-my-posh': 'v4.5.6' };
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const [, owner, repository = ''] = /^\/([^/]+)\/([^/]+)\/releases\/latest$/.exec(path) ?? [];
    const page = served[path];
    if (owner !== undefined) {
      response.writeHead(302, { location: `/${owner}/${repository}/releases/tag/${tags[repository]}` }).end();
    } else response.writeHead(page === undefined ? 404 : 200).end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return pinsText(await readPins({ registry: host, registryName: 'registry.example', releases: host }));
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

describe('the pins of the Fedora image', () => {
  it('are what the Dockerfile asks for, each the checksum of what came', async () => {
    const text = await pinsFrom(pages());
    const lines = text.trim().split('\n');
    assert.equal(lines[0], `FEDORA=registry.example/fedora@sha256:${sha256('{"manifests": []}')}`);
    assert.ok(lines.includes('GUM_VERSION=1.2.3'));
    assert.ok(lines.includes(`OH_MY_POSH_SHA256_ARM64=${sha256('the bytes of posh-linux-arm64')}`));
    const asked = (await readFile(dockerfile, 'utf8')).matchAll(/^ARG ([A-Z0-9_]+)$/gm);
    const wanted = [...asked].map((match) => match[1]).filter((name) => name !== 'TARGETARCH');
    assert.deepEqual(lines.map((line) => line.split('=')[0]).toSorted(), wanted.toSorted());
  });

  it('are refused where what came is not what its makers published', async () => {
    const changed = pages();
    changed['/JanDeDobbeleer/oh-my-posh/releases/download/v4.5.6/posh-linux-amd64'] = 'something else';
    await assert.rejects(pinsFrom(changed), /posh-linux-amd64 of JanDeDobbeleer\/oh-my-posh.*its makers say/);
  });

  it('are not made up where something does not answer', async () => {
    const lacking = pages();
    delete lacking['/charmbracelet/gum/releases/download/v1.2.3/checksums.txt'];
    await assert.rejects(pinsFrom(lacking), /checksums\.txt answers 404/);
    await assert.rejects(
      readPins({ registry: 'http://127.0.0.1:1', registryName: 'x', releases: 'http://127.0.0.1:1' }),
      /127\.0\.0\.1:1 does not answer from here/,
    );
  });
});
