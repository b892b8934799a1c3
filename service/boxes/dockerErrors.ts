import { type ErrorCode, SpoonError } from '../../protocol/errors.ts';
import { seeLog } from './boxWords.ts';

/** HTTP status of Docker's answer, where there was one. */
export function statusOf(error: unknown): number | undefined {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}

/** Docker's own words. */
export function messageOf(error: unknown): string {
  const json = error instanceof Error && 'json' in error ? error.json : undefined;
  if (typeof json === 'object' && json !== null && 'message' in json) return String(json.message);
  return error instanceof Error ? error.message : String(error);
}

/**
 * What a failed call to Docker means. No answer at all is `engine-unavailable`, and so is a 5xx of an engine that is
 * going down; anything else that Docker refused gets `code`.
 */
export function dockerError(error: unknown, code: ErrorCode): unknown {
  if (error instanceof SpoonError) return error;
  const status = statusOf(error);
  if (status === 503) return unavailable('It is stopping.', error);
  if (status !== undefined) return new SpoonError(code, `Docker refused it. ${seeLog}`, { cause: error });
  const system = error instanceof Error && 'code' in error ? error.code : undefined;
  if (error instanceof Error && error.name === 'TimeoutError') return unavailable('It gave no answer in time.', error);
  if (system === 'ENOENT') return unavailable('There is no socket at its place. Start Docker.', error);
  if (system === 'EACCES') return unavailable('This account may not use its socket.', error);
  if (typeof system === 'string' && /^(ECONN|EPIPE|ETIMEDOUT|HPE_)/.test(system))
    return unavailable('Start Docker.', error);
  return error;
}

function unavailable(detail: string, cause: unknown): SpoonError {
  return new SpoonError('engine-unavailable', detail, { cause });
}
