import { JsonFields } from '../http/jsonFields.ts';
import type { BoxdRoute } from '../http/route.ts';
import { readBackup } from './backups.ts';
import type { DriftWatcher } from './driftWatcher.ts';
import { readHomeEntry } from './homeEntry.ts';
import { layerFacts } from './layerFacts.ts';
import type { Overlay } from './overlay.ts';
import { readEntries } from './overlayRequest.ts';

export function overlayRoutes(overlay: Overlay, drift: DriftWatcher, home: string): BoxdRoute[] {
  return [
    {
      method: 'POST',
      path: '/v1/overlay/check',
      async handle({ json }) {
        const digest = new JsonFields(await json()).text('digest');
        return { json: { upToDate: await overlay.check(digest) } };
      },
    },
    {
      method: 'POST',
      path: '/v1/overlay/plan',
      async handle({ json }) {
        return { json: { needed: await overlay.plan(readEntries(new JsonFields(await json()))) } };
      },
    },
    {
      method: 'POST',
      path: '/v1/overlay/apply',
      handle: async ({ body }) => ({ json: await overlay.apply(body) }),
    },
    {
      method: 'GET',
      path: '/v1/overlay/drift',
      handle: async ({ query }) => ({ json: await drift.report(Number(query.get('after') ?? 0)) }),
    },
    {
      method: 'GET',
      path: '/v1/overlay/home',
      handle: ({ query }) => ({ bytes: readHomeEntry(home, query.get('path') ?? '') }),
    },
    {
      method: 'GET',
      path: '/v1/overlay/layers',
      async handle({ query }) {
        const path = query.get('path') ?? '';
        const facts = layerFacts(home, path);
        const managed = await overlay.describe(path);
        return { json: managed === undefined ? facts : { ...facts, managed } };
      },
    },
    {
      method: 'GET',
      path: '/v1/backups',
      handle: ({ query }) => ({ bytes: readBackup(home, query.get('path') ?? '') }),
    },
  ];
}
