import type { ApiClient } from '../../client/apiClient.ts';
import type { Box, StageReport } from '../../protocol/boxes.ts';
import type { Me } from '../../protocol/identity.ts';
import { formatTime } from '../commandLine.ts';
import { stageText } from '../repository.ts';
import type { Checks } from './checks.ts';

const stageAdvice: Record<StageReport['name'], string> = {
  home: 'See what takes the room: spoonctl home usage',
  repository: 'See why: spoonctl dotfiles repo log',
  setup: 'See why: spoonctl dotfiles repo log',
  overlay: 'Try again with: spoonctl dotfiles apply',
};

/** Looks at the box and starts none. */
export async function checkBox(checks: Checks, api: ApiClient, me: Me): Promise<void> {
  const box = await checks.ask('Box', () => api.call('box'));
  if (box !== undefined) checkState(checks, box);
  if (!me.scopes.includes('files:read')) return;
  await checks.ask('Dotfiles', async () => {
    const { dotfiles } = await api.call('listDotfiles');
    const { on } = await api.call('dotfilesSwitch');
    const off = on ? '' : ', turned off; on again with: spoonctl dotfiles on';
    checks.ok('Dotfiles', `${dotfiles.length} stored${off}`);
  });
}

function checkState(checks: Checks, box: Box): void {
  const { state, startedMs, silentMs, outdated, stages, detail } = box;
  const since = startedMs === null ? '' : ` since ${formatTime(startedMs)}`;
  if (state === 'failed') checks.fail('Box', detail ?? 'It could not be started.', 'Try again: spoonctl box restart');
  else if (silentMs !== undefined) {
    const found = `It has not answered for ${Math.round(silentMs / 1000)} s: it may be busy.`;
    checks.warn('Box', found, 'To end all that runs in it: spoonctl box restart');
  } else if (state === 'stopped') {
    // Why the last one ended is no fault of the next.
    checks.ok('Box', `off; starts with the next terminal${detail === undefined ? '' : `. Last: ${detail}`}`);
  } else checks.ok('Box', `${state}${since}`);
  if (outdated !== undefined) {
    const than = outdated.includes('image') ? 'an older image' : 'older settings or limits';
    checks.warn(
      'Box',
      `It runs with ${than} than a new one would.`,
      'Replaced when nothing holds it, or by: spoonctl box restart',
    );
  }
  for (const stage of stages) {
    if (stage.state === 'failed') checks.warn('Set-up', stageText(stage), stageAdvice[stage.name]);
  }
}
