import type { ApiClient } from '../../client/apiClient.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { Job } from '../../protocol/jobs.ts';
import { UsageError } from '../commandLine.ts';

/** The job that a person means by its id, or by the beginning of it. @throws SpoonError `not-found`, UsageError */
export async function findJob(api: ApiClient, typed: string): Promise<Job> {
  const { jobs } = await api.call('listJobs', { query: {} });
  const found = jobs.filter(({ id }) => typed !== '' && id.startsWith(typed.toLowerCase()));
  const [job, other] = found;
  if (job === undefined) throw new SpoonError('not-found', 'List them with: spoonctl jobs list');
  if (other !== undefined) throw new UsageError(`${found.length} jobs begin with ${typed}. Give more of the id.`);
  return job;
}
