import type { BoxdRoute } from '../http/route.ts';
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
  ];
}
