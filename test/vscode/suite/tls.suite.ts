import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { promisify } from 'node:util';
import * as vscode from 'vscode';
import type { TestView } from '../../../extension/extension.ts';
import { activate, service, until } from './window.ts';

const run = promisify(execFile);

/** The real service behind TLS, with a certificate that nobody has heard of. */
async function behindTls(folder: string, name: string): Promise<{ server: Server; url: string; certificate: string }> {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const subject = ['-subj', '/CN=spoon-test', '-addext', `subjectAltName=${name}`];
  const shape = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  await run('openssl', ['req', '-x509', ...shape, '-keyout', key, '-out', certificate, ...subject]);
  const [keyPem, certPem] = await Promise.all([readFile(key), readFile(certificate)]);
  const { hostname, port } = new URL(service.url);
  const server = createServer({ key: keyPem, cert: certPem }, (outer) => {
    const inner = connect(Number(port), hostname);
    outer.pipe(inner).pipe(outer);
    // Either end may go first when a test is over.
    outer.on('error', () => inner.destroy());
    inner.on('error', () => outer.destroy());
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return { server, url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, certificate };
}

describe('TLS', () => {
  let view: TestView;
  let folder: string;
  const setCaFile = (path: string | undefined) =>
    vscode.workspace.getConfiguration('spoon').update('tls.caFile', path, vscode.ConfigurationTarget.Global);

  before(async () => {
    view = await activate();
    await view.current.ready;
    folder = await mkdtemp(join(tmpdir(), 'spoon-tls-'));
  });
  after(async () => {
    await setCaFile(undefined);
    await rm(folder, { recursive: true, force: true });
  });

  it('refuses a certificate that nobody vouches for, without a way around', async () => {
    const { server, url } = await behindTls(folder, 'IP:127.0.0.1');
    try {
      await assert.rejects(async () => await view.signInWith({ url, token: service.token }), /not trusted/);
    } finally {
      server.close();
    }
  });

  it('takes it, for requests and for sockets, with the authority in the settings', async () => {
    const { server, url, certificate } = await behindTls(folder, 'IP:127.0.0.1');
    try {
      await setCaFile(certificate);
      await view.signInWith({ url, token: service.token });
      await until('used', () => view.current.connection?.session.url === url);
      await until('connected', () => view.current.state.name === 'connected');
      const { dotfiles } = view.current.require();
      const path = `tls${Date.now()}`;
      const bytes = new Uint8Array(100_000).fill(7);
      await vscode.workspace.fs.writeFile(vscode.Uri.from({ ...uriParts(view), path: `/${path}` }), bytes);
      assert.equal(dotfiles.entry(path)?.dotfile?.size, bytes.length);
      assert.deepEqual(
        await vscode.workspace.fs.readFile(vscode.Uri.from({ ...uriParts(view), path: `/${path}` })),
        bytes,
      );
    } finally {
      await view.sessions.remove(url);
      await until('signed out of it', () => view.current.connection?.session.url !== url);
      server.close();
    }
  });

  it('refuses a certificate for another name, even with its authority in the settings', async () => {
    const { server, url, certificate } = await behindTls(folder, 'DNS:somewhere.example.org');
    try {
      await setCaFile(certificate);
      await assert.rejects(async () => await view.signInWith({ url, token: service.token }), /another name/);
    } finally {
      server.close();
    }
  });

  it('says which setting is wrong when the file is not there', async () => {
    await setCaFile(join(folder, 'none.pem'));
    await assert.rejects(async () => await view.signInWith(service), /spoon\.tls\.caFile.*cannot be read/);
    await setCaFile(undefined);
  });
});

function uriParts(view: TestView): { scheme: string; authority: string } {
  const { instanceId, username } = view.current.require().session;
  return { scheme: 'spoon-dotfiles', authority: `${instanceId.slice(0, 8)}-${username}` };
}
