/** What a terminal shows: a new shell somewhere, or one that runs already. */
export type TerminalTarget =
  /** Somebody else's; the id is that of the share. */
  | { readonly kind: 'shared'; readonly id: string }
  | {
      readonly kind: 'new';
      readonly cwd: string | undefined;
      /** `{spoon}/{branch}`, instead of `cwd`: its folder, which is checked out where it is missing. */
      readonly thread?: string | undefined;
      readonly safe: boolean;
    }
  | {
      readonly kind: 'running';
      readonly id: string;
      /** What it has now: attaching without a size of one's own changes nothing for the program in it. */
      readonly size: { readonly columns: number; readonly rows: number };
    };
