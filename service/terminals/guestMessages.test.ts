import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { guestControl } from './guestMessages.ts';

const size = { columns: 100, rows: 30 };
const said = (message: object, write: boolean): unknown => {
  const text = guestControl(JSON.stringify(message), { write, size });
  return text === undefined ? undefined : JSON.parse(text);
};

describe('what a guest says to a terminal', () => {
  it('has no size in it for who only looks, and that of the guest for who may type', () => {
    const attach = { type: 'attach', columns: 20, rows: 5, credit: 2048, snapshots: true, offset: 7 };
    assert.deepEqual(said(attach, false), { ...attach, ...size, watch: true });
    assert.deepEqual(said(attach, true), attach);
    assert.equal(said({ type: 'resize', columns: 20, rows: 5 }, false), undefined);
    assert.deepEqual(said({ type: 'resize', columns: 20, rows: 5 }, true), { type: 'resize', columns: 20, rows: 5 });
  });

  it('is nothing else than what was understood', () => {
    const attach = { type: 'attach', columns: 'x', rows: 1e9, credit: 'much', watch: false, extra: 1, offset: '7' };
    assert.deepEqual(said(attach, false), { type: 'attach', ...size, watch: true, snapshots: false });
    assert.deepEqual(said({ type: 'ack', offset: 'x', more: 1 }, false), { type: 'ack', offset: 0 });
    assert.equal(said({ type: 'signal', name: 'SIGKILL' }, true), undefined);
    assert.throws(() => guestControl('{}', { write: true, size }), { code: 'request-invalid' });
    assert.throws(() => guestControl('not json', { write: true, size }), { code: 'request-invalid' });
  });
});
