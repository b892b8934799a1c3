import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import * as vscode from 'vscode';
import type { TestView } from '../../../extension/extension.ts';
import { SpoonError } from '../../../protocol/errors.ts';
import { scriptedService, scriptedToken } from './scriptedService.ts';
import { activate, anotherWindow, bytesOf, closeAllEditors, signedIn, until, uriOf } from './window.ts';

describe('secrets', () => {
  let view: TestView;
  const secrets = () => view.current.require().secrets;

  before(async () => {
    view = await signedIn();
    await secrets().refresh();
    for (const secret of secrets().list) await secrets().remove(secret);
  });

  it('are set, replaced and removed, and told by name alone', async () => {
    await view.storeSecret({ name: 'SUITE_KEY', spoon: null, value: bytesOf('value') });
    assert.deepEqual(
      secrets().list.map(({ name, scopes }) => ({ name, scopes })),
      [{ name: 'SUITE_KEY', scopes: ['shells'] }],
    );
    const value = bytesOf('another value');
    await view.storeSecret({ name: 'SUITE_KEY', spoon: null, value, scopes: ['jobs'] });
    assert.ok(
      value.every((byte) => byte === 0),
      'the value is overwritten',
    );
    assert.deepEqual(secrets().find('SUITE_KEY', null)?.scopes, ['jobs']);
    await secrets().remove({ name: 'SUITE_KEY', spoon: null });
    assert.deepEqual(secrets().list, []);
  });

  it('are refused where they cannot be, before anything is sent', async () => {
    const store = (name: string, value: Uint8Array) => view.storeSecret({ name, spoon: null, value });
    await assert.rejects(store('EMPTY', new Uint8Array()), /empty/);
    await assert.rejects(store('LARGE', new Uint8Array(65_537).fill(0x61)), /64 KiB/);
    await assert.rejects(store('PATH', bytesOf('x')), /relies on/);
    await assert.rejects(store('BYTES', Uint8Array.of(0)), /no variable can hold/);
    assert.deepEqual(secrets().list, []);
  });

  it('of a file that was changed meanwhile stay in it, and no secret is left behind', async () => {
    const token = Array.from({ length: 30 }, (_, index) => 'abcdefgh1234XYZ'[(index * 7) % 15]).join('');
    const text = `export SUITE_TOKEN=${token}\n`;
    await anotherWindow().save('.suite.sh', bytesOf(text), { base: 'create', origin: 'editor' });
    await until('known', () => view.current.require().dotfiles.entry('.suite.sh') !== undefined);
    const restore = answerInput('SUITE_TOKEN', async () => {
      const { etag } = await anotherWindow().read('.suite.sh');
      await anotherWindow().save('.suite.sh', bytesOf(`# mine\n${text}`), { base: { etag }, origin: 'editor' });
    });
    const messages: string[] = [];
    const unhear = hearErrors(messages);
    try {
      await vscode.commands.executeCommand('spoon.secrets.move', uriOf(view, '.suite.sh'));
      await until('it is said', () => messages.length > 0);
    } finally {
      restore();
      unhear();
    }
    assert.match(messages[0] ?? '', /has changed since it was read.*Nothing was moved/);
    await secrets().refresh();
    assert.deepEqual(secrets().list, []);
    const { bytes } = await anotherWindow().read('.suite.sh');
    assert.equal(new TextDecoder().decode(bytes), `# mine\n${text}`);
  });

  it('are quick to know of, and cost nothing at the start', () => {
    assert.ok(view.activationMs < 50, `${view.activationMs} ms`);
  });
  after(closeAllEditors);
});

describe('a secret that cannot be sealed or stored', () => {
  it('is in nothing that is thrown, logged or shown', async () => {
    const view = await activate();
    await view.current.ready;
    await using service = await scriptedService();
    service.answer('listSecrets', () => ({ secrets: [] }));
    await view.signInWith({ url: service.url, token: scriptedToken });
    const here = () => view.current.connection?.session.url === service.url;
    await until('connected', () => here() && view.current.state.name === 'connected');
    const canary = 'value-canary-of-the-suite';
    const fails = async (what: RegExp): Promise<void> => {
      await assert.rejects(
        view.storeSecret({ name: 'CANARY', spoon: null, value: bytesOf(canary) }),
        (error: Error) => {
          assert.match(error.message, what);
          assert.ok(!inspect(error, { depth: 10, showHidden: true }).includes(canary));
          return true;
        },
      );
    };
    service.answer('sealKey', () => ({ keyId: '00000000', publicKey: `${'A'.repeat(43)}=` }));
    await fails(/does not fit the id/);
    service.answer('sealKey', () => {
      throw new SpoonError('store-busy');
    });
    await fails(/busy/);
    for (const { body } of service.received) assert.ok(!body.includes(canary));
    await view.sessions.remove(service.url);
    await until('signed out of it', () => !here());
  });
});

describe('secrets of a sign-in or a service from before them', () => {
  for (const [access, code] of [
    ['older', 'insufficient-scope'],
    ['absent', 'not-found'],
  ] as const) {
    it(`are ${access}: that is said, and the rest works`, async () => {
      const view = await activate();
      await view.current.ready;
      await using service = await scriptedService();
      service.answer('listSecrets', () => {
        throw new SpoonError(code);
      });
      await view.signInWith({ url: service.url, token: scriptedToken });
      const here = () => view.current.connection?.session.url === service.url;
      await until('connected', () => here() && view.current.state.name === 'connected');
      await until('known', () => view.current.connection?.secrets.access === access);
      const messages: string[] = [];
      const unhear = hearErrors(messages);
      try {
        await vscode.commands.executeCommand('spoon.secrets.new');
        await until('it is said', () => messages.length > 0);
      } finally {
        unhear();
      }
      assert.match(messages[0] ?? '', access === 'older' ? /spoonctl tokens create/ : /Update it/);
      assert.ok(view.current.connection?.dotfiles.isListed);
      await view.sessions.remove(service.url);
      await until('signed out of it', () => !here());
    });
  }
});

/** Whoever asks with an input box next is answered, after something else has happened. @returns what takes it back */
function answerInput(value: string, meanwhile: () => Promise<void>): () => void {
  const { createInputBox } = vscode.window;
  Object.assign(vscode.window, {
    createInputBox: () => {
      const input = createInputBox.call(vscode.window);
      const accepted = new vscode.EventEmitter<void>();
      return new Proxy(input, {
        get(target, key) {
          if (key === 'onDidAccept') return accepted.event;
          if (key === 'value') return value;
          if (key === 'show') {
            return () => {
              target.show();
              void meanwhile().then(() => accepted.fire());
            };
          }
          const found: unknown = Reflect.get(target, key);
          return typeof found === 'function' ? found.bind(target) : found;
        },
        set: (target, key, given) => Reflect.set(target, key, given),
      });
    },
  });
  return () => Object.assign(vscode.window, { createInputBox });
}

/** @returns what takes it back */
function hearErrors(messages: string[]): () => void {
  const { showErrorMessage } = vscode.window;
  Object.assign(vscode.window, {
    showErrorMessage: async (message: string) => {
      messages.push(message);
      return undefined;
    },
  });
  return () => Object.assign(vscode.window, { showErrorMessage });
}
