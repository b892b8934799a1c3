import { frame } from '../../protocol/overlayFrames.ts';
import { JsonFields } from '../http/jsonFields.ts';
import type { BoxdRoute } from '../http/route.ts';
import type { SecretFiles } from '../processes/secretFiles.ts';
import type { Jobs } from './jobs.ts';

export function jobRoutes(jobs: Jobs, secretFiles: SecretFiles): BoxdRoute[] {
  return [
    {
      method: 'POST',
      path: '/v1/jobs',
      async handle({ json }) {
        const fields = new JsonFields(await json());
        const { environment, values, notes } = secretFiles.read(fields);
        const started = await jobs.start({
          id: fields.id(),
          command: fields.texts('command'),
          prompt: fields.text('prompt'),
          spoon: fields.text('spoon'),
          branch: fields.text('branch'),
          cwd: fields.text('cwd'),
          timeLimitMs: fields.count('timeLimitMs'),
          environment,
          secrets: values,
        });
        return { json: { notes: [...started.notes, ...notes].slice(0, 16) } };
      },
    },
    {
      method: 'GET',
      path: '/v1/jobs/:id/output',
      async handle({ id, query }) {
        const from = Number(query.get('from'));
        const { head, bytes } = await jobs.get(id).read(Number.isSafeInteger(from) && from > 0 ? from : 0);
        return { bytes: Buffer.concat([...frame(Buffer.from(JSON.stringify(head))), ...frame(bytes)]) };
      },
    },
    { method: 'GET', path: '/v1/jobs/:id/diff', handle: ({ id }) => ({ bytes: jobs.get(id).diff }) },
    {
      method: 'POST',
      path: '/v1/jobs/:id/cancel',
      handle({ id }) {
        jobs.get(id).cancel();
        return undefined;
      },
    },
    {
      method: 'DELETE',
      path: '/v1/jobs/:id',
      handle({ id }) {
        jobs.forget(id);
        return undefined;
      },
    },
  ];
}
