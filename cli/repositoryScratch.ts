import { setTimeout as delay } from 'node:timers/promises';
import { phaseText, scratchText } from '../client/scratchText.ts';
import type { StageReport } from '../protocol/boxes.ts';
import type { ScratchTest } from '../protocol/scratch.ts';
import { cancelOnSignal } from './cancelOnSignal.ts';
import type { CommandLine, JsonOption } from './commandLine.ts';
import { connect } from './connection.ts';
import { exitCodes } from './exitCodes.ts';

export interface ScratchOptions extends JsonOption {
  readonly scratch?: true;
  readonly update?: true;
  readonly log?: true;
}

const pollMs = 300;
/** Its box and copy are removed first. */
const cancelMs = 180_000;

/** `spoonctl dotfiles repo test --scratch` */
export async function testInScratch(
  line: CommandLine,
  { update, log, ...options }: ScratchOptions,
  stageText: (stage: StageReport) => string,
): Promise<void> {
  const { api } = await connect(line);
  const cancelling = cancelOnSignal();
  try {
    let { test } = await api.call('testRepository', { body: { ...(update && { update }) } });
    for (let told = ''; test?.state === 'running'; ) {
      if (phaseText(test) !== told) line.note(`${phaseText(test)}…`);
      told = phaseText(test);
      const isOver = await delay(pollMs, false, { signal: cancelling.signal }).catch(() => true);
      ({ test } = isOver
        ? await api.call('cancelRepositoryTest', { timeoutMs: cancelMs })
        : await api.call('repositoryTest'));
    }
    const printed = log
      ? Buffer.from((await api.call('repositoryTestLog')).bytes)
          .toString('utf8')
          .trimEnd()
      : '';
    const ended: ScratchTest | null = test;
    if (ended === null) throw new Error('the service has forgotten the test');
    line.print(options, ended, () => [...scratchText(ended, stageText), ...(log ? ['', printed] : [])].join('\n'));
    if (ended.state !== 'ok') line.exitCode = exitCodes.refused;
  } finally {
    cancelling.close();
  }
}
