import { JsonFields } from '../http/jsonFields.ts';
import type { BoxdRoute } from '../http/route.ts';
import { compareHomes } from './compareHomes.ts';
import { copyHome } from './copyHome.ts';
import { readUsage } from './homeUsage.ts';

/** Below what a request of the service may take. */
const usageMs = 10_000;

export function homeRoutes(home: string): BoxdRoute[] {
  return [
    {
      method: 'GET',
      path: '/v1/home/usage',
      handle: async () => ({ json: await readUsage(home, usageMs) }),
    },
    {
      method: 'POST',
      path: '/v1/home/copy',
      async handle({ json }) {
        const fields = new JsonFields(await json());
        return { json: await copyHome(fields.text('from'), home, fields.count('maxBytes')) };
      },
    },
    {
      method: 'POST',
      path: '/v1/home/compare',
      async handle({ json }) {
        const fields = new JsonFields(await json());
        return { json: await compareHomes(fields.text('with'), home, fields.count('sinceMs')) };
      },
    },
  ];
}
