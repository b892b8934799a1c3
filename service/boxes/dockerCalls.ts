import type Docker from 'dockerode';
import { statusOf } from './dockerErrors.ts';

/** These three take a signal in dockerode 5; its types do not say so. */
interface CancellableCalls {
  ping(options: { abortSignal: AbortSignal }): Promise<unknown>;
  version(options: { abortSignal: AbortSignal }): Promise<Docker.DockerVersion>;
  info(options: { abortSignal: AbortSignal }): ReturnType<Docker['info']>;
}

export function cancellable(docker: Docker): CancellableCalls {
  return docker as unknown as CancellableCalls;
}

/** Undefined for what is not there (404), also when it was never running (304). */
export async function absentOk<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    const status = statusOf(error);
    if (status === 404 || status === 304) return undefined;
    throw error;
  }
}

/** Ends it where it runs, and resolves once it is gone. */
export async function removeContainer(container: Docker.Container, abortSignal: AbortSignal): Promise<void> {
  try {
    await absentOk(container.remove({ force: true, v: true, abortSignal }));
  } catch (error) {
    if (statusOf(error) !== 409) throw error;
    // Somebody else is removing it.
    await absentOk(container.wait({ condition: 'removed' }));
  }
}
