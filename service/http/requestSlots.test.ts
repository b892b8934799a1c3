import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RequestSlots } from './requestSlots.ts';

const patient = new AbortController().signal;

describe('request slots', () => {
  it('are as many as were said for each user, and go to who waits longest', async () => {
    const slots = new RequestSlots({ perUser: 2, maxWaiting: 8 });
    const first = await slots.take('ada', patient);
    await slots.take('ada', patient);
    const order: number[] = [];
    const third = slots.take('ada', patient).then((give) => {
      order.push(3);
      return give;
    });
    const fourth = slots.take('ada', patient).then((give) => {
      order.push(4);
      return give;
    });
    await slots.take('bo', patient);
    assert.deepEqual(order, [], 'another user does not wait, these do');
    first();
    first();
    const give = await third;
    assert.deepEqual(order, [3], 'given back twice is given back once');
    give();
    await fourth;
  });

  it('refuse who would make the line too long', async () => {
    const slots = new RequestSlots({ perUser: 1, maxWaiting: 1 });
    const give = await slots.take('ada', patient);
    const second = slots.take('ada', patient);
    await assert.rejects(slots.take('ada', patient), { code: 'too-many-requests' });
    give();
    (await second)();
    (await slots.take('ada', patient))();
  });

  it('do not wait for a client that is gone', async () => {
    const slots = new RequestSlots({ perUser: 1, maxWaiting: 1 });
    const give = await slots.take('ada', patient);
    const gone = new AbortController();
    const second = slots.take('ada', gone.signal);
    gone.abort(new Error('gone'));
    await assert.rejects(second, /gone/);
    give();
    (await slots.take('ada', patient))();
  });
});
