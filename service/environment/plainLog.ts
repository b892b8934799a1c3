import type { RepositoryRun } from '../../protocol/repository.ts';

/** What a box says is shown in trees, editors and terminals: as plain text, whatever it tries (rows 68 and 88). */

// biome-ignore lint/suspicious/noControlCharactersInRegex: ECMA-48 control sequences and strings are what is taken out
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[ -/]*[0-~])/g;
const controls = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;

/** Of a line that was written over and over, such as a progress bar, the last form. */
export function plainLog(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(escapes, '')
    .split('\n')
    .map((line) => line.replace(/\r+$/, '').split('\r').at(-1) ?? '')
    .map((line) =>
      line
        .split('\t')
        .map((part) => part.replaceAll(controls, ''))
        .join('\t')
        .trimEnd(),
    )
    .join('\n');
}

export function plainRun(run: RepositoryRun): RepositoryRun {
  return {
    ...run,
    commit: run.commit !== null && /^[0-9a-f]{40}$/.test(run.commit) ? run.commit : null,
    script: run.script === null ? null : line(run.script),
    notes: run.notes.map(line),
    stages: run.stages.map(({ detail, ...stage }) => ({
      ...stage,
      durationMs: Math.max(0, stage.durationMs),
      ...(detail === undefined ? {} : { detail: line(detail) }),
    })),
  };
}

function line(text: string): string {
  return plainLog(text)
    .replaceAll(/[\n\t]+/g, ' ')
    .slice(0, 1024);
}
