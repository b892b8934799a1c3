import type { ApiClient } from '../client/apiClient.ts';
import { SpoonError } from '../protocol/errors.ts';

export const silentText =
  'Your box does not answer. It may be busy; this goes on once it answers. To end all that runs in it: spoonctl box restart';

const askMs = 1_000;

/** While something is waited for in a box: says once that the box does not answer. @returns how to end that */
export function tellSilence(api: ApiClient, say: (text: string) => void): () => void {
  const over = new AbortController();
  const timer = setInterval(async () => {
    try {
      const { silentMs } = await api.call('box', { signal: over.signal });
      if (silentMs === undefined || over.signal.aborted) return;
      clearInterval(timer);
      say(silentText);
    } catch (error) {
      // What is waited for fails too, and says why.
      if (!over.signal.aborted && !(error instanceof SpoonError)) throw error;
    }
  }, askMs).unref();
  return () => {
    clearInterval(timer);
    over.abort();
  };
}
