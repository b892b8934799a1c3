import type { FastifyInstance } from 'fastify';
import { SpoonError } from '../../protocol/errors.ts';
import { routes } from '../../protocol/routes.ts';
import { sendPage } from '../http/page.ts';
import { addRoute } from '../http/route.ts';

/** What the page is made of, by the names of its files. */
export type AdminPage = ReadonlyMap<string, string>;

const mediaTypes: Readonly<Record<string, string>> = { css: 'text/css', js: 'text/javascript' };

/** `/admin`: the same for everybody. Who may see anything is asked by the routes that its script calls. */
export function addAdminPageRoutes(app: FastifyInstance, page: AdminPage): void {
  const { path } = routes.adminPage;
  addRoute(app, routes.adminPage, async ({ reply }) =>
    sendPage(reply, page.get('page.html') ?? '', { script: true, callsApi: true }),
  );
  addRoute(app, routes.adminPageFile, async ({ params, reply }) => {
    const { file = '' } = params;
    if (file === '') return reply.code(308).header('location', path).send();
    const text = page.get(file);
    const mediaType = mediaTypes[file.slice(file.lastIndexOf('.') + 1)];
    if (text === undefined || mediaType === undefined) throw new SpoonError('not-found');
    return reply.type(`${mediaType}; charset=utf-8`).send(text);
  });
}
