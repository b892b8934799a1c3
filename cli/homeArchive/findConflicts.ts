export interface Conflicts {
  /** A folder on one side and none on the other, or a name that diff does not tell whole: it has a line break. */
  readonly unmovable: readonly string[];
  /** Another content, target or kind of file. */
  readonly replaceable: readonly string[];
}

const kindsDiffer = /^File \.\/(.*) is an? (.*) while file \/.*\/\1 is an? (.*)$/;
const contentsDiffer = /^(?:Files|Symbolic links) \.\/(.*) and \/.*\/\1 differ$/;
const anyDifference = /^(?:Files|File|Symbolic links) \.\/(.*)$/;

/** @param said what `diff --recursive --brief` of the new files (`.`) and a home says in the locale C */
export function findConflicts(said: string): Conflicts {
  const unmovable: string[] = [];
  const replaceable: string[] = [];
  for (const line of said.split('\n')) {
    const [, name, ours, theirs] = kindsDiffer.exec(line) ?? contentsDiffer.exec(line) ?? [];
    const rest = anyDifference.exec(line)?.[1];
    if (name === undefined ? rest !== undefined : ours === 'directory' || theirs === 'directory') {
      unmovable.push(name ?? rest ?? '');
    } else if (name !== undefined) replaceable.push(name);
  }
  return { unmovable, replaceable };
}
