import { JsonFields } from '../http/jsonFields.ts';
import type { BoxdRoute } from '../http/route.ts';
import type { SecretFiles } from '../processes/secretFiles.ts';
import type { RepositoryRuns } from './repositoryRuns.ts';
import { readCredential, readRunRequest } from './runRequest.ts';

export function repositoryRoutes(runs: RepositoryRuns, secretFiles: SecretFiles): BoxdRoute[] {
  return [
    {
      method: 'POST',
      path: '/v1/repository/run',
      handle: async ({ json }) => ({
        json: await runs.start(readRunRequest(new JsonFields(await json()), secretFiles)),
      }),
    },
    {
      method: 'GET',
      path: '/v1/repository/run',
      handle: async ({ query }) => ({ json: await runs.watch(Number(query.get('step') ?? -1)) }),
    },
    { method: 'GET', path: '/v1/repository/log', handle: () => ({ bytes: runs.log }) },
    { method: 'POST', path: '/v1/repository/cancel', handle: async () => ({ json: await runs.cancel() }) },
    {
      method: 'POST',
      path: '/v1/repository/resolve',
      async handle({ json }) {
        const fields = new JsonFields(await json());
        const ref = fields.value('ref') === null ? null : fields.text('ref');
        return {
          json: { commit: await runs.resolve({ url: fields.text('url'), ref, credential: readCredential(fields) }) },
        };
      },
    },
    {
      method: 'POST',
      path: '/v1/repository/preview',
      handle: async ({ json }) => ({
        json: await runs.preview(readRunRequest(new JsonFields(await json()), secretFiles)),
      }),
    },
    {
      method: 'POST',
      path: '/v1/repository/roll-back-file',
      async handle({ json }) {
        const fields = new JsonFields(await json());
        return { json: await runs.rollBackFile({ commit: fields.text('commit'), path: fields.text('path') }) };
      },
    },
    { method: 'POST', path: '/v1/repository/remove', handle: async () => ({ json: await runs.remove() }) },
  ];
}
