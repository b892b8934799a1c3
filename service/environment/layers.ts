import type { LayerFacts } from '../../protocol/boxd.ts';
import type { Dotfile } from '../../protocol/dotfiles.ts';
import { formatFileMode } from '../../protocol/fileMode.ts';
import type { Layer, LayerName } from '../../protocol/layers.ts';

/**
 * Which layer a file of the home comes from, and what lost against it: from the dotfile, if there is one, and from what the
 * box says. Pure. A box may say anything about its own home: it is told and not acted on.
 */
export function layersOf(dotfile: Dotfile | undefined, facts: LayerFacts): Layer[] {
  const winner = winnerOf(facts);
  const all = [
    handLayer(facts, winner),
    overlayLayer(dotfile, facts, winner),
    repositoryLayer(facts, winner),
    spoonLayer(facts, winner),
    imageLayer(facts, winner),
  ].filter((layer) => layer !== undefined);
  return [...all.filter(({ wins }) => wins), ...all.filter(({ wins }) => !wins)];
}

function winnerOf({ home, managed, repositoryLink, madeBySpoon, skeleton }: LayerFacts): LayerName | undefined {
  if (home.kind === 'missing') return undefined;
  if (managed?.state === 'asLeft') return 'overlay';
  if (repositoryLink !== undefined) return 'repository';
  if (madeBySpoon) return 'spoon';
  return skeleton === 'same' ? 'image' : 'hand';
}

function handLayer(
  { home, managed, backups, linkTarget }: LayerFacts,
  winner: LayerName | undefined,
): Layer | undefined {
  if (winner === 'hand') {
    const what =
      managed === undefined
        ? 'Made in the box, by hand or by a program'
        : managed.state === 'mode'
          ? `Its mode was changed in the box, to ${formatFileMode(home.mode)}`
          : 'Changed in the box after Spoon wrote it';
    const link = linkTarget === undefined ? '' : `; a link to ${linkTarget}`;
    return { layer: 'hand', wins: true, detail: `${what}${link}.` };
  }
  if (managed?.state === 'missing') return { layer: 'hand', wins: false, detail: 'Removed in the box.' };
  const [newest] = backups;
  if (newest === undefined) return undefined;
  const more = backups.length > 1 ? ` and ${backups.length - 1} more` : '';
  return { layer: 'hand', wins: false, detail: `Was in the way of an apply, and is kept as ~/${newest}${more}.` };
}

function overlayLayer(
  dotfile: Dotfile | undefined,
  { managed }: LayerFacts,
  winner: LayerName | undefined,
): Layer | undefined {
  if (dotfile === undefined) {
    if (managed === undefined) return undefined;
    return { layer: 'overlay', wins: winner === 'overlay', detail: 'Was a dotfile; its removal has not arrived yet.' };
  }
  const wins = winner === 'overlay';
  const detail = wins
    ? `Version ${dotfile.version} of the dotfile.`
    : managed === undefined
      ? `Version ${dotfile.version} of the dotfile has not been written yet.`
      : `Version ${dotfile.version} of the dotfile is not what is in the home.`;
  return { layer: 'overlay', wins, detail, version: dotfile.version };
}

function repositoryLayer({ repositoryLink }: LayerFacts, winner: LayerName | undefined): Layer | undefined {
  if (repositoryLink === undefined) return undefined;
  return {
    layer: 'repository',
    wins: winner === 'repository',
    detail: `~/${repositoryLink} is a link into the checkout of the dotfiles repository.`,
  };
}

function spoonLayer({ madeBySpoon }: LayerFacts, winner: LayerName | undefined): Layer | undefined {
  if (!madeBySpoon) return undefined;
  return { layer: 'spoon', wins: winner === 'spoon', detail: 'Made for this home when it was new.' };
}

function imageLayer({ skeleton }: LayerFacts, winner: LayerName | undefined): Layer | undefined {
  if (skeleton === 'none') return undefined;
  const detail = skeleton === 'same' ? 'As the image has it in /etc/skel.' : 'The image has another one in /etc/skel.';
  return { layer: 'image', wins: winner === 'image', detail };
}
