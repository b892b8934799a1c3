import { AgentCommandError, defaultAgentCommand, parseAgentCommand } from '../protocol/agentCommand.ts';
import { defaultJobTimeLimitMs } from '../protocol/limits.ts';

/** How agents are run. */
export interface JobSettings {
  /** Of the agent, in words (`protocol/agentCommand.ts`). */
  readonly command: readonly string[];
  /** Of all users together. */
  readonly maxConcurrent: number;
  /** After it a job is ended. */
  readonly timeLimitMs: number;
}

interface Reading {
  readonly refuse: (name: string, given: string, accepted: string) => never;
  readonly readMilliseconds: (name: string, given: string | undefined, fallback: number) => number;
}

export function readJobSettings(
  get: (name: string) => string | undefined,
  { refuse, readMilliseconds }: Reading,
): JobSettings {
  const limit = 'SPOON_AGENT_JOB_TIMEOUT_MS';
  const most = 'SPOON_AGENT_MAX_CONCURRENT_JOBS';
  const concurrent = get(most) ?? '1';
  if (!/^[1-9]\d{0,2}$/.test(concurrent)) refuse(most, concurrent, 'a whole number from 1 to 999');
  return {
    command: readCommand(get('SPOON_AGENT_COMMAND') ?? defaultAgentCommand, refuse),
    maxConcurrent: Number(concurrent),
    timeLimitMs: readMilliseconds(limit, get(limit), defaultJobTimeLimitMs),
  };
}

function readCommand(given: string, refuse: Reading['refuse']): string[] {
  try {
    return parseAgentCommand(given);
  } catch (error) {
    if (!(error instanceof AgentCommandError)) throw error;
    return refuse('SPOON_AGENT_COMMAND', given, `${error.message}, such as ${defaultAgentCommand}`);
  }
}
