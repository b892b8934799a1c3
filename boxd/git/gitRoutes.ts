import { SpoonError } from '../../protocol/errors.ts';
import { JsonFields } from '../http/jsonFields.ts';
import type { BoxdRoute } from '../http/route.ts';
import type { Checkouts } from './checkouts.ts';
import type { OperationContext, Operations } from './operations.ts';

const maxFolders = 1000;

/** `/v1/git`: what is begun and asked for; `/v1/git-status`: a look at checkouts. */
export function gitRoutes(checkouts: Checkouts, operations: Operations): BoxdRoute[] {
  return [
    {
      method: 'POST',
      path: '/v1/git',
      async handle({ json }) {
        const fields = new JsonFields(await json());
        const work = workOf(checkouts, fields);
        return { json: await operations.start(fields.id(), work) };
      },
    },
    {
      method: 'GET',
      path: '/v1/git/:id',
      async handle({ id, query }) {
        return { json: await operations.get(id, Number(query.get('step') ?? -1)) };
      },
    },
    {
      method: 'DELETE',
      path: '/v1/git/:id',
      async handle({ id }) {
        await operations.cancel(id);
        return undefined;
      },
    },
    {
      method: 'POST',
      path: '/v1/git-status',
      async handle({ json }) {
        const fields = new JsonFields(await json());
        const folders = fields.texts('folders');
        if (folders.length > maxFolders) throw new SpoonError('request-invalid', `At most ${maxFolders} folders.`);
        return { json: await checkouts.statuses(folders, fields.count('maxAgeMs')) };
      },
    },
  ];
}

function workOf(checkouts: Checkouts, fields: JsonFields): (context: OperationContext) => Promise<unknown> {
  const kind = fields.text('kind');
  const optional = (name: string) =>
    fields.value(name) === undefined || fields.value(name) === null ? undefined : fields.text(name);
  switch (kind) {
    case 'make': {
      const start = fields.text('start');
      if (start !== 'existing' && start !== 'new' && start !== 'either') break;
      const request = {
        folder: fields.text('folder'),
        url: fields.text('url'),
        branch: fields.text('branch'),
        start,
        defaultBranch: optional('defaultBranch') ?? null,
        again: fields.flag('again'),
        timeoutMs: fields.count('timeoutMs'),
      } as const;
      return (context) => checkouts.make(request, context);
    }
    case 'update': {
      const request = { folder: fields.text('folder'), timeoutMs: fields.count('timeoutMs') };
      return (context) => checkouts.update(request, context);
    }
    case 'losses': {
      const folder = fields.text('folder');
      return (context) => checkouts.losses(folder, context);
    }
    case 'remove': {
      const request = { folder: fields.text('folder'), confirm: optional('confirm') };
      return (context) => checkouts.remove(request, context);
    }
    case 'branches': {
      const request = { url: fields.text('url'), timeoutMs: fields.count('timeoutMs') };
      return (context) => checkouts.branches(request, context);
    }
  }
  throw new SpoonError('request-invalid', 'kind must be make, update, losses, remove or branches.');
}
