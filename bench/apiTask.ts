/** What `apiLoad.ts` and its client process tell each other, as JSON. */

export const requestKinds = ['list', 'get', 'save'] as const;
export type RequestKind = (typeof requestKinds)[number];

export interface Task {
  readonly url: string;
  /** One per person who asks. */
  readonly tokens: readonly string[];
  readonly perSecond: number;
  readonly seconds: number;
}

export interface Taken {
  /** From when each was due to the last byte of its answer, ms. */
  readonly taken: Readonly<Record<RequestKind, readonly number[]>>;
  /** That were answered. */
  readonly perSecond: number;
  /** Of the client's own event loop, p99: counted with the rest, though it is not the service's. */
  readonly loopDelayMs: number;
}

/** What the server answers that does nothing else. */
export interface BareAnswers extends Readonly<Record<RequestKind, string>> {
  /** The file that saves go to. */
  readonly log: string;
}
