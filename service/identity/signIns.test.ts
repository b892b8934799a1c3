import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { beforeEach, describe, it } from 'node:test';
import { readSignInRequest, SignIns } from './signIns.ts';

const verifier = 'v'.repeat(43);
const redirectUri = 'http://127.0.0.1:5000/';
const asked = {
  redirect_uri: redirectUri,
  state: 's'.repeat(20),
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
  client_name: 'spoonctl on laptop',
};

describe('sign-ins under way', () => {
  let nowMs: number;
  let signIns: SignIns;
  beforeEach(() => {
    nowMs = 1_000_000;
    signIns = new SignIns(() => nowMs);
  });
  const ada = { userId: 'ada', begun: 0 };
  const grantCode = () => new URL(signIns.grant(ada, readSignInRequest(asked))).searchParams.get('code') ?? '';
  const exchange = (changes: Partial<Parameters<SignIns['exchange']>[0]> = {}, code = grantCode()) =>
    signIns.exchange({ code, codeVerifier: verifier, redirectUri, ...changes });

  it('lead back to the program with a code and its state', () => {
    const address = new URL(signIns.grant(ada, readSignInRequest(asked)));
    assert.equal(address.origin, 'http://127.0.0.1:5000');
    assert.equal(address.searchParams.get('state'), asked.state);
    assert.deepEqual(exchange(), { who: ada, clientName: 'spoonctl on laptop', kind: 'user' });
  });

  it('take a code once, also when something else was wrong with it', () => {
    const code = grantCode();
    exchange({}, code);
    assert.throws(() => exchange({}, code), { code: 'sign-in-code-invalid' });
    const tried = grantCode();
    assert.throws(() => exchange({ codeVerifier: 'w'.repeat(43) }, tried), { code: 'sign-in-code-invalid' });
    assert.throws(() => exchange({}, tried), { code: 'sign-in-code-invalid' });
  });

  it('refuse a code for another place, and one that is a minute old', () => {
    assert.throws(() => exchange({ redirectUri: 'http://127.0.0.1:5001/' }), { code: 'sign-in-code-invalid' });
    const code = grantCode();
    nowMs += 59_999;
    exchange({}, code);
    const late = grantCode();
    nowMs += 60_000;
    assert.throws(() => exchange({}, late), { code: 'sign-in-code-invalid' });
  });

  for (const [what, change] of [
    ['to another host', { redirect_uri: 'http://evil.test/' }],
    ['to another host that begins like this one', { redirect_uri: 'http://127.0.0.1:5000@evil.test/' }],
    ['to a name of this machine', { redirect_uri: 'http://localhost:5000/' }],
    ['to another extension', { redirect_uri: 'vscode://other.extension/auth' }],
    ['to another page of the extension', { redirect_uri: 'vscode://spoon-dev.spoon/run' }],
    ['to a script', { redirect_uri: 'javascript:alert(1)' }],
    ['nowhere', { redirect_uri: undefined }],
    ['without a challenge', { code_challenge: undefined }],
    ['with a plain challenge', { code_challenge_method: 'plain' }],
    ['with a short challenge', { code_challenge: 'x' }],
    ['without a state', { state: undefined }],
    ['with a state that could be guessed', { state: 'abc' }],
  ] as const) {
    it(`do not begin ${what} (row 56)`, () => {
      assert.throws(() => readSignInRequest({ ...asked, ...change } as typeof asked), { code: 'sign-in-link-invalid' });
    });
  }

  it('begin for VS Code and its relatives', () => {
    for (const scheme of ['vscode', 'vscode-insiders', 'vscodium']) {
      readSignInRequest({ ...asked, redirect_uri: `${scheme}://spoon-dev.spoon/auth` });
    }
  });

  it('without a browser wait for a person, who sees who asks', () => {
    const { deviceCode, userCode } = signIns.requestDevice('spoonctl on server\u001b[2J\n', '203.0.113.7');
    assert.match(userCode, /^[B-Z]{4}-[B-Z]{4}$/);
    assert.throws(() => signIns.exchangeDevice(deviceCode), { code: 'sign-in-pending' });
    assert.throws(() => signIns.exchangeDevice(deviceCode), { code: 'slow-down' });
    const { confirm, device } = signIns.findDevice(ada, userCode.toLowerCase().replace('-', ' '));
    assert.deepEqual([device.clientName, device.address], ['spoonctl on server [2J', '203.0.113.7']);
    nowMs += 3_000;
    assert.throws(() => signIns.exchangeDevice(deviceCode), { code: 'sign-in-pending' });
    signIns.answerDevice(confirm, 'approve');
    assert.equal(signIns.exchangeDevice(deviceCode).who, ada);
    assert.throws(() => signIns.exchangeDevice(deviceCode), { code: 'sign-in-code-invalid' });
    assert.throws(() => signIns.answerDevice(confirm, 'approve'), { code: 'sign-in-code-invalid' });
  });

  it('that were refused stay refused', () => {
    const { deviceCode, userCode } = signIns.requestDevice('x', '');
    signIns.answerDevice(signIns.findDevice(ada, userCode).confirm, 'deny');
    assert.throws(() => signIns.exchangeDevice(deviceCode), { code: 'sign-in-denied' });
    assert.throws(() => signIns.exchangeDevice(deviceCode), { code: 'sign-in-code-invalid' });
  });

  it('let nobody guess codes, and end after ten minutes (row 57)', () => {
    const { deviceCode, userCode } = signIns.requestDevice('x', '');
    for (let tries = 0; tries < 5; tries++) {
      assert.throws(() => signIns.findDevice({ userId: 'eve', begun: 0 }, 'BBBB-BBBB'), {
        code: 'sign-in-code-invalid',
      });
    }
    assert.throws(() => signIns.findDevice({ userId: 'eve', begun: 0 }, userCode), { code: 'too-many-requests' });
    signIns.findDevice(ada, userCode);
    nowMs += 10 * 60_000;
    assert.throws(() => signIns.findDevice(ada, userCode), { code: 'sign-in-code-invalid' });
    assert.throws(() => signIns.exchangeDevice(deviceCode), { code: 'sign-in-code-invalid' });
  });

  it('that a user began before all were ended lead to nothing; later ones and those of others do', () => {
    const begun = signIns.begin();
    const early = grantCode();
    signIns.endThoseOf('ada');
    // The password was looked at before, and the answer came after.
    const between = new URL(signIns.grant({ userId: 'ada', begun }, readSignInRequest(asked))).searchParams;
    for (const code of [early, between.get('code') ?? '']) {
      assert.throws(() => exchange({}, code), { code: 'sign-in-code-invalid' });
    }
    for (const who of [
      { userId: 'bo', begun },
      { userId: 'ada', begun: signIns.begin() },
    ]) {
      const { searchParams } = new URL(signIns.grant(who, readSignInRequest(asked)));
      assert.deepEqual(exchange({}, searchParams.get('code') ?? '').who, who);
    }
  });

  it('are bounded in number, the oldest giving way', () => {
    const first = signIns.requestDevice('x', '');
    for (let count = 0; count < 1_000; count++) signIns.requestDevice('x', '');
    assert.throws(() => signIns.exchangeDevice(first.deviceCode), { code: 'sign-in-code-invalid' });
  });
});
