import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseServiceUrl } from './serviceUrl.ts';

describe('parseServiceUrl', () => {
  const accepted: [string, string][] = [
    ['https://spoon.example.org/', 'https://spoon.example.org'],
    ['https://spoon.example.org:8443', 'https://spoon.example.org:8443'],
    ['https://example.org/spoon//', 'https://example.org/spoon'],
    ['spoon.example.org', 'https://spoon.example.org'],
    ['spoon.example.org:8443', 'https://spoon.example.org:8443'],
    ['127.0.0.1:3921', 'http://127.0.0.1:3921'],
    ['localhost:3921', 'http://localhost:3921'],
    ['http://127.8.9.1:1', 'http://127.8.9.1:1'],
    ['http://[::1]:3921', 'http://[::1]:3921'],
    ['http://0x7f.1:80', 'http://127.0.0.1'],
    ['  https://spoon.example.org ', 'https://spoon.example.org'],
  ];
  for (const [typed, expected] of accepted) {
    it(`takes ${JSON.stringify(typed)}`, () => assert.equal(parseServiceUrl(typed), expected));
  }

  const refused = [
    '',
    'http://spoon.example.org',
    'http://127.0.0.1.example.org',
    'http://localhost.example.org',
    'http://10.0.0.1',
    'http://[::2]',
    'https://ada:secret@spoon.example.org',
    'https://spoon.example.org/?token=x',
    'https://spoon.example.org/#x',
    'ftp://spoon.example.org',
    'file:///etc/passwd',
    'https://',
    'https://exa mple.org',
  ];
  for (const typed of refused) {
    it(`refuses ${JSON.stringify(typed)}`, () => {
      assert.throws(() => parseServiceUrl(typed), { code: 'service-url-invalid' });
    });
  }
});
