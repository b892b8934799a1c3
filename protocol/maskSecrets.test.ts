import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createMasker } from './maskSecrets.ts';

const value = 'hunter2 & "swordfish"/ä+=';
const maskAll = createMasker([value]);

describe('masking secrets', () => {
  const shapes: [string, string][] = [
    ['as it is', value],
    ['in JSON', JSON.stringify(value)],
    ['in a URL', `https://host/?token=${encodeURIComponent(value)}&x=1`],
    ['in a form', `token=${new URLSearchParams({ t: value }).toString().slice(2)}`],
    ['in base64', Buffer.from(value).toString('base64')],
    ['in base64url', Buffer.from(value).toString('base64url')],
    ['as a password of HTTP basic', `Authorization: Basic ${Buffer.from(`ada:${value}`).toString('base64')}`],
    ['with a line end', `${value}\r\n`],
  ];
  for (const [name, text] of shapes) {
    it(`takes it out ${name} (row 75)`, () => {
      const masked = maskAll(`before ${text} after`);
      assert.ok(masked.startsWith('before ') && masked.endsWith(' after') && masked.includes('***'), masked);
      assert.ok(!masked.includes('swordfish'));
      assert.ok(!Buffer.from(masked.split(' ').at(-2) ?? '', 'base64').includes('swordfish'), masked);
    });
  }

  it('takes out each line of a value of several', () => {
    const key = '-----BEGIN KEY-----\nc2VjcmV0IGtleQ==\n-----END KEY-----\n';
    assert.equal(createMasker([key])('x c2VjcmV0IGtleQ== y'), 'x *** y');
  });

  it('leaves short values and other texts as they are', () => {
    const mask = createMasker(['1234567', 'true', '']);
    assert.equal(mask('true 1234567 and more'), 'true 1234567 and more');
  });

  it('takes out the longer of two where one begins the other', () => {
    assert.equal(createMasker(['password', 'password-of-ada'])('password-of-ada password'), '*** ***');
  });

  it('finds any value in base64 after any text', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 12, unit: 'grapheme-ascii' }),
        fc.string(),
        fc.string(),
        (secret, before, after) => {
          fc.pre(secret.trim().length >= 12);
          const digits = Buffer.from(`${before}${secret}${after}`).toString('base64');
          return createMasker([secret])(digits) !== digits;
        },
      ),
    );
  });
});
