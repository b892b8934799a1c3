import { type Static, Type } from 'typebox';

/**
 * Who can make a file of the home, later ones over earlier ones: the image, Spoon itself for a new home, the dotfiles
 * repository, its setup script, the overlay, a person or program in the box.
 */
export const LayerName = Type.Union([
  Type.Literal('image'),
  Type.Literal('spoon'),
  Type.Literal('repository'),
  Type.Literal('setup'),
  Type.Literal('overlay'),
  Type.Literal('hand'),
]);
export type LayerName = Static<typeof LayerName>;

export const Layer = Type.Object({
  layer: LayerName,
  /** What is in the home comes from here; of one path at most one does. */
  wins: Type.Boolean(),
  /** For a person. */
  detail: Type.String(),
  /** Of the overlay, the version. */
  version: Type.Optional(Type.Integer({ minimum: 1 })),
});
export type Layer = Static<typeof Layer>;

export const LayerReport = Type.Object({
  path: Type.String(),
  /** False while the box is off: then only the overlay is known, and nobody wins. */
  watching: Type.Boolean(),
  /** The winner first, then the losers, from the latest to the earliest. */
  layers: Type.Array(Layer),
});
export type LayerReport = Static<typeof LayerReport>;
