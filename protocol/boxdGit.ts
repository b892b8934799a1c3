import { type Static, Type } from 'typebox';
import { CheckoutProgress, CheckoutStatus } from './threads.ts';

/**
 * What takes longer than a request (`/v1/git`): begun by one, asked for until it has ended. `step` counts the changes.
 * Results: `CheckoutMade`, `UpdateOutcome`, `BranchList`, `CheckoutLosses`, `CheckoutRemoved`, by the kind that was begun.
 */
export const GitOperation = Type.Union([
  Type.Object({ state: Type.Literal('running'), step: Type.Integer(), progress: CheckoutProgress }),
  Type.Object({ state: Type.Literal('done'), step: Type.Integer(), result: Type.Unknown() }),
  Type.Object({
    state: Type.Literal('failed'),
    step: Type.Integer(),
    code: Type.String({ maxLength: 64 }),
    detail: Type.Optional(Type.String({ maxLength: 4096 })),
    extra: Type.Record(Type.String(), Type.Union([Type.String({ maxLength: 4096 }), Type.Number(), Type.Boolean()])),
  }),
]);
export type GitOperation = Static<typeof GitOperation>;

export interface MakeCheckout {
  readonly folder: string;
  readonly url: string;
  readonly branch: string;
  readonly start: 'existing' | 'new' | 'either';
  readonly defaultBranch: string | null;
  /** The thread is known: a checkout that is there is its own, whatever state it is in. */
  readonly again: boolean;
  readonly timeoutMs: number;
}
export const CheckoutMade = Type.Object({
  /** The branch was made here. */
  isNew: Type.Boolean(),
  /** Null where the repository was not asked, or has none. */
  defaultBranch: Type.Union([Type.String({ maxLength: 1024 }), Type.Null()]),
  /** What it began with; absent where it was there already, or the repository is empty. */
  commit: Type.Optional(Type.String({ pattern: '^[0-9a-f]{40,64}$' })),
  notes: Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 16 }),
});
export type CheckoutMade = Static<typeof CheckoutMade>;
export const CheckoutRemoved = Type.Object({ removed: Type.Boolean() });

export const CheckoutStatuses = Type.Object({
  statuses: Type.Array(Type.Object({ folder: Type.String({ maxLength: 1024 }), status: CheckoutStatus }), {
    maxItems: 1024,
  }),
});
export type CheckoutStatuses = Static<typeof CheckoutStatuses>;
