import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { repeatsName } from './repeatedNames.ts';

const repeats = (text: string) => repeatsName(text, JSON.parse(text));

describe('repeatsName (row 35)', () => {
  for (const text of [
    '{"a":1,"a":2}',
    '{"a":1,"a":1}',
    '{"a" : 1, "\\u0061"\n:2}',
    '[{"b":{}},{"b":{"c":1,"d":2,"c":[]}}]',
    '{"\\\\":1,"\\\\":2}',
    '{"":1,"":2}',
  ]) {
    it(`finds it in ${text}`, () => assert.equal(repeats(text), true));
  }
  for (const text of [
    '1',
    '"a:"',
    '{}',
    '{"a":{"a":{"a":"a"}}}',
    '[{"a":1},{"a":1}]',
    '{"a":"\\"b\\":","b":"x\\\\"}',
    '{"a":"a","b":["\\"a\\":1"]}',
  ]) {
    it(`is content with ${text}`, () => assert.equal(repeats(text), false));
  }

  it('is content with whatever JSON.stringify makes, and finds any name of it given once more', () => {
    const objects = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1, noNullPrototype: true });
    fc.assert(
      fc.property(objects, fc.constantFrom(undefined, 2), (object, indent) => {
        const text = JSON.stringify(object, undefined, indent);
        assert.equal(repeats(text), false);
        const [name] = Object.keys(object);
        assert.equal(repeats(`{${JSON.stringify(name)}:0,${text.slice(1)}`), true);
      }),
    );
  });
});
