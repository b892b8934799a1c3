import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LayerFacts } from '../../protocol/boxd.ts';
import type { Dotfile } from '../../protocol/dotfiles.ts';
import { layersOf } from './layers.ts';

const file = { kind: 'file', mode: 0o644, size: 1, modifiedMs: 1 } as const;
const nothing = { kind: 'missing', mode: 0, size: 0, modifiedMs: 0 } as const;
const facts = (rest: Partial<LayerFacts> = {}): LayerFacts => ({
  home: file,
  madeBySpoon: false,
  skeleton: 'none',
  backups: [],
  ...rest,
});
const managed = (state: NonNullable<LayerFacts['managed']>['state']) =>
  ({ kind: 'file', mode: 0o644, size: 1, content: 'c', state }) as const;
const dotfile = { version: 3 } as Dotfile;
/** The winner marked, the losers after it. */
const named = (of: Dotfile | undefined, from: LayerFacts) =>
  layersOf(of, from)
    .map(({ layer, wins }) => (wins ? `${layer}!` : layer))
    .join(' ');

describe('layersOf', () => {
  for (const [what, expected, of, from] of [
    ['the overlay as it was left', 'overlay!', dotfile, facts({ managed: managed('asLeft') })],
    ['a hand edit over the overlay', 'hand! overlay', dotfile, facts({ managed: managed('modified') })],
    ['a removal in the box', 'hand overlay', dotfile, facts({ home: nothing, managed: managed('missing') })],
    [
      'an edit that gave way',
      'overlay! hand',
      dotfile,
      facts({ managed: managed('asLeft'), backups: ['.spoon/backup/t/x'] }),
    ],
    ['a dotfile that is still on its way', 'hand! overlay', dotfile, facts()],
    ['the overlay over the image', 'overlay! image', dotfile, facts({ managed: managed('asLeft'), skeleton: 'other' })],
    ['a link into the repository', 'repository!', undefined, facts({ repositoryLink: '.vim' })],
    [
      'the overlay over a link',
      'overlay! repository',
      dotfile,
      facts({ managed: managed('asLeft'), repositoryLink: '.vim' }),
    ],
    ['what a new home gets', 'spoon!', undefined, facts({ madeBySpoon: true })],
    ['the image’s own', 'image!', undefined, facts({ skeleton: 'same' })],
    ['made in the box', 'hand!', undefined, facts()],
    ['nothing at all', '', undefined, facts({ home: nothing })],
  ] as const) {
    it(`tells ${what}`, () => assert.equal(named(of, from), expected));
  }
});
