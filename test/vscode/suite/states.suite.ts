import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as vscode from 'vscode';
import type { TestView } from '../../../extension/extension.ts';
import type { Dotfile } from '../../../protocol/dotfiles.ts';
import { SpoonError } from '../../../protocol/errors.ts';
import { health, type ProtocolService } from '../../fixtures/protocolService.fixture.ts';
import { scriptedBox as box, scriptedService as scripted, scriptedToken as token } from './scriptedService.ts';
import { activate, bytesOf, service as realService, signedIn, until, uriOf } from './window.ts';

function dotfile(path: string): Dotfile {
  const facts = { kind: 'file', mode: 0o644, size: 1, version: 1, etag: '"v1-x"' } as const;
  return { id: path, path, ...facts, modifiedMs: 1, createdMs: 1 };
}

describe('the connection', () => {
  let view: TestView;
  let service: ProtocolService;

  beforeEach(async () => {
    view = await activate();
    await view.current.ready;
    service = await scripted();
  });
  afterEach(async () => {
    await view.sessions.remove(service.url);
    await until('signed out of it', () => view.current.connection?.session.url !== service.url);
    await service[Symbol.asyncDispose]();
  });

  const connect = async (): Promise<void> => {
    await view.signInWith({ url: service.url, token });
    await until('this service is used', () => view.current.connection?.session.url === service.url);
    await until('connected', () => view.current.state.name === 'connected');
  };

  it('goes offline with the reason, fails at once meanwhile, and comes back alone', async () => {
    await connect();
    await service.pause();
    await until('offline', () => view.current.state.name === 'offline' && view.current.state.error !== undefined);
    const startedMs = performance.now();
    await assert.rejects(
      async () => await vscode.workspace.fs.writeFile(uriOf(view, '.bashrc'), bytesOf('x')),
      /does not answer.*Save again when the service is back/,
    );
    assert.ok(performance.now() - startedMs < 500);
    await service.resume();
    await until('connected', () => view.current.state.name === 'connected');
  });

  it('says of a box that it runs an older image', async () => {
    await connect();
    const old = { ...box, state: 'running', outdated: ['image'] };
    // Whatever is still under way, what the service answers from now on and what it tells are the same.
    service.answer('box', () => old);
    for (const socket of service.sockets) socket.send(JSON.stringify({ type: 'box.changed', box: old }));
    await until('the box is known', () => view.current.connection?.box?.outdated?.includes('image') === true);
    await vscode.commands.executeCommand('spoon.copyDiagnostics');
    assert.match(await vscode.env.clipboard.readText(), /^Box: running, .*, outdated: image$/m);
  });

  it('works with an older service, which knows nothing of changes in the home', async () => {
    service.answer('listDotfiles', () => ({ dotfiles: [dotfile('.bashrc')] }));
    service.answer('dotfileDrift', () => {
      throw new SpoonError('not-found');
    });
    await connect();
    const { dotfiles } = view.current.require();
    await dotfiles.refresh();
    assert.ok(dotfiles.entry('.bashrc'));
    assert.deepEqual(dotfiles.drifted, []);
  });

  it('knows from the list what the box does not have, and what it has again', async () => {
    service.answer('listDotfiles', () => ({ dotfiles: [dotfile('.bashrc')] }));
    const refused = { state: 'refused', detail: 'A folder is there.' };
    const answer = { watching: true, drifts: [], troubles: [{ path: '.bashrc', applied: refused }] };
    service.answer('dotfileDrift', () => answer);
    await connect();
    const { dotfiles } = view.current.require();
    await until('the problem is known', () => dotfiles.problem('.bashrc')?.state === 'refused');
    service.answer('dotfileDrift', () => ({ ...answer, troubles: [] }));
    await dotfiles.refresh();
    assert.equal(dotfiles.problem('.bashrc'), undefined);
  });

  it('says in the row of a dotfile why it could not be restored in the box', async () => {
    const drift = { id: '.vimrc', path: '.vimrc', state: 'missing' };
    service.answer('listDotfiles', () => ({ dotfiles: [dotfile('.vimrc')] }));
    service.answer('dotfileDrift', () => ({ watching: true, drifts: [drift], troubles: [] }));
    service.answer('restoreDrift', () => ({ applied: { state: 'refused', detail: 'The home is full.' } }));
    await connect();
    await until('the drift is known', () => view.current.require().dotfiles.drift('.vimrc') !== undefined);
    await vscode.commands.executeCommand('spoon.dotfiles.restoreInHome', view.tree.node('.vimrc'));
    const spoken = () => view.tree.getTreeItem(view.tree.node('.vimrc')).accessibilityInformation?.label ?? '';
    await until('it says why', () => spoken().includes('Deleted in the box. The home is full.'));
  });

  it('loses nothing that is told while a list without it is on its way', async () => {
    service.answer('listDotfiles', () => ({ dotfiles: [dotfile('.gone')] }));
    await connect();
    const { dotfiles } = view.current.require();
    await until('listed', () => dotfiles.entry('.gone') !== undefined);
    await dotfiles.refresh();
    const { promise: heard, resolve: goOn } = Promise.withResolvers<void>();
    service.answer('listDotfiles', async () => {
      await heard;
      return { dotfiles: [dotfile('.gone'), dotfile('.kept')] };
    });
    const lists = service.count('listDotfiles');
    const refreshed = dotfiles.refresh();
    await until('asked', () => service.count('listDotfiles') > lists);
    const news = [
      { type: 'dotfile.saved', dotfile: dotfile('.new'), clientId: null },
      { type: 'dotfile.removed', path: '.gone', clientId: null },
    ];
    for (const socket of service.sockets) for (const event of news) socket.send(JSON.stringify(event));
    await until('told', () => dotfiles.entry('.new') !== undefined && dotfiles.entry('.gone') === undefined);
    goOn();
    await refreshed;
    assert.deepEqual(
      dotfiles.children('').map(({ path }) => path),
      ['.kept', '.new'],
    );
  });

  it('lists again when that is asked while a list is on its way, which may be older', async () => {
    await connect();
    const { dotfiles } = view.current.require();
    await dotfiles.refresh();
    const lists = service.count('listDotfiles');
    const first = dotfiles.refresh();
    service.answer('listDotfiles', () => ({ dotfiles: [dotfile('.late')] }));
    await Promise.all([first, dotfiles.refresh(), dotfiles.refresh()]);
    assert.ok(dotfiles.entry('.late'));
    assert.equal(service.count('listDotfiles'), lists + 2);
  });

  it('comes back at once when asked', async () => {
    await connect();
    await service.pause();
    await until('offline', () => view.current.state.name === 'offline');
    await service.resume();
    await vscode.commands.executeCommand('spoon.reconnect');
    assert.notEqual(view.current.state.name, 'offline');
    await until('connected', () => view.current.state.name === 'connected');
  });

  for (const [which, apiVersion] of [
    ['newer', 99],
    ['older', 0],
  ] as const) {
    it(`says that a service is ${which}, and stops asking`, async () => {
      await connect();
      service.answer('health', () => ({ ...health, apiVersion }));
      await service.pause();
      await service.resume();
      await until('incompatible', () => view.current.state.name === 'incompatible');
      assert.match(
        view.current.state.name === 'incompatible' ? view.current.state.error.message : '',
        which === 'newer' ? /Update Spoon on this machine/ : /service must be updated/,
      );
      // What was under way may still be answered; then nothing comes for longer than it ever waits at first.
      await until('no request for two seconds', async () => {
        const asked = service.received.length;
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        return service.received.length === asked;
      });
      service.answer('health', () => health);
      await vscode.commands.executeCommand('spoon.reconnect');
      await until('connected', () => view.current.state.name === 'connected');
    });
  }

  it('forgets a token that is refused, and says so', async () => {
    await connect();
    for (const name of ['createTicket', 'listDotfiles', 'box'] as const) {
      service.answer(name, () => {
        throw new SpoonError('unauthenticated');
      });
    }
    for (const socket of service.sockets) socket.close(4001);
    await until('signed out', () => view.current.connection?.session.url !== service.url);
    await until('forgotten', async () => (await view.sessions.get(service.url)) === undefined);
  });

  it('takes a change of the account for one: Accounts menu and window follow each other', async () => {
    await connect();
    const session = await vscode.authentication.getAccounts('spoon');
    assert.ok(session.some(({ label }) => label.startsWith('Eve (127.0.0.1')));
    await view.sessions.remove(service.url);
    await until('signed out', () => view.current.connection?.session.url !== service.url);
  });

  it('skips events that only a newer service knows, and lists again after a broken one', async () => {
    await connect();
    const lists = service.count('listDotfiles');
    for (const socket of service.sockets) socket.send(JSON.stringify({ type: 'moon.phase', phase: 'full' }));
    for (const socket of service.sockets) socket.send('{"type":"dotfile.saved","dotfile":{}}');
    await until('listed again', () => service.count('listDotfiles') > lists);
    assert.equal(view.current.state.name, 'connected');
  });
});

describe('something else than a service', () => {
  const answers: [what: string, listener: RequestListener, why: RegExp][] = [
    [
      'a web page',
      (_, response) => response.setHeader('content-type', 'text/html').end('<h1>Hi</h1>'),
      /other than JSON/,
    ],
    [
      'JSON of another kind',
      (_, response) => response.setHeader('content-type', 'application/json').end('{"a":1}'),
      /form/,
    ],
    ['half a JSON', (_, response) => response.setHeader('content-type', 'application/json').end('{"a":'), /not whole/],
    [
      'a redirect',
      (_, response) => response.writeHead(302, { location: `${realService.url}/v1/health` }).end(),
      /redirect/i,
    ],
    ['a gigabyte', (_, response) => sendForever(response), /more than/],
    ['an error page', (_, response) => response.writeHead(500, { 'content-type': 'text/html' }).end('oops'), /500/],
  ];
  for (const [what, listener, why] of answers) {
    it(`is refused at sign-in: ${what}`, async () => {
      const view = await activate();
      let sawToken = false;
      const server = createServer((request, response) => {
        sawToken ||= request.headers.authorization !== undefined && request.url === '/v1/health';
        listener(request, response);
      }).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      try {
        await assert.rejects(async () => await view.signInWith({ url, token }), why);
        assert.equal(sawToken, false, 'no token is sent before it is known who answers');
        assert.equal(await view.sessions.get(url), undefined);
      } finally {
        server.closeAllConnections();
        server.close();
      }
    });
  }
});

describe('a second service', () => {
  it('is used instead, and the first again after signing out of it', async () => {
    const view = await signedIn();
    await using other = await scripted();
    await view.signInWith({ url: other.url, token });
    await until('the other is connected', () => view.current.connection?.session.url === other.url);
    await until('connected', () => view.current.state.name === 'connected');
    await assert.rejects(
      async () => await vscode.workspace.fs.readFile(vscode.Uri.parse('spoon-dotfiles://12345678-ada/.bashrc')),
      /another account/,
    );
    await vscode.commands.executeCommand('spoon.signOut');
    await until('the first', () => view.current.connection?.session.url === realService.url);
  });
});

function sendForever(response: import('node:http').ServerResponse): void {
  response.setHeader('content-type', 'application/json');
  const chunk = Buffer.alloc(1024 * 1024, 0x20);
  const more = (): void => {
    while (!response.destroyed && response.write(chunk)) {}
    if (!response.destroyed) response.once('drain', more);
  };
  more();
}
