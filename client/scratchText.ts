import type { StageReport } from '../protocol/boxes.ts';
import type { ScratchTest } from '../protocol/scratch.ts';

/** What a test in a throw-away box found, in plain lines. */

const mebi = 1024 * 1024;
const notLookedAt = 'What git keeps for itself in ~/.dotfiles/.git was not looked at.';
const signs = { added: '+', changed: '~', removed: '-' } as const;
const states = {
  running: 'It is under way.',
  ok: 'The setup ended well.',
  failed: 'The setup did not end well.',
  cancelled: 'It was cancelled.',
} as const;

export function phaseText({ phase, run }: ScratchTest): string {
  switch (phase) {
    case 'copying':
      return 'copying your home';
    case 'setup':
      return run?.stages.some(({ name }) => name === 'setup') ? 'running the setup' : 'fetching the repository';
    case 'comparing':
      return 'looking at what changed';
    case 'removing':
      return 'removing the scratch box';
    case 'ended':
      return 'ended';
  }
}

/** @param stageText of one stage, as the client shows it elsewhere */
export function scratchText(test: ScratchTest, stageText: (stage: StageReport) => string): string[] {
  const { state, withSecrets, copied, run, home, isRemoved, detail } = test;
  return [
    states[state],
    ...(detail === undefined ? [] : [detail]),
    ...(copied === null
      ? []
      : [`Copied: ${copied.files} files, ${Math.ceil(copied.bytes / mebi)} MiB.${leftText(copied.left)}`]),
    ...(withSecrets ? [] : ['Your secrets for setups were left out: you have not agreed to this commit yet.']),
    ...(run === null ? [] : [...run.stages.map(stageText), ...run.notes]),
    ...(home === null ? [] : ['', ...homeLines(home)]),
    '',
    isRemoved
      ? 'Your real home was not touched. The scratch box and its copy are gone.'
      : 'Your real home was not touched. The scratch box or its copy could not be removed yet; that is tried again each minute.',
  ];
}

function leftText(left: number): string {
  return left === 0 ? '' : ` ${left} left out: sockets, pipes, or closed to you.`;
}

function homeLines({ changes, moreChanges }: NonNullable<ScratchTest['home']>): string[] {
  const count = changes.length + moreChanges;
  if (count === 0) return [`Nothing in the home would change. ${notLookedAt}`];
  return [
    `In the home would change: ${count}`,
    ...changes.map(({ path, change }) => `  ${signs[change]} ~/${path}`),
    ...(moreChanges === 0 ? [] : [`  … and ${moreChanges} more`]),
    notLookedAt,
  ];
}
