import { plainLog, visibleText } from '../../protocol/plainText.ts';
import type { RepositoryPreview, RepositoryRun } from '../../protocol/repository.ts';

/** What a box says is shown in trees, editors and terminals: as plain text, whatever it tries (rows 68 and 88). */

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

export function plainPreview({ setup, diff, ...preview }: RepositoryPreview): RepositoryPreview {
  return {
    ...preview,
    ...(diff === undefined ? {} : { diff: { ...diff, text: visibleText(diff.text) } }),
    files: preview.files.map(({ path, change }) => ({ path: line(path), change })),
    links: preview.links.map(({ path, action }) => ({ path: line(path), action })),
    notes: preview.notes.map(line),
    setup:
      setup.kind === 'script'
        ? { ...setup, path: line(setup.path), interpreter: line(setup.interpreter), text: visibleText(setup.text) }
        : setup.kind === 'problem'
          ? { ...setup, detail: line(setup.detail) }
          : setup,
  };
}

export function plainPath(path: string): string {
  return line(path);
}

function line(text: string): string {
  return plainLog(text)
    .replaceAll(/[\n\t]+/g, ' ')
    .slice(0, 1024);
}
