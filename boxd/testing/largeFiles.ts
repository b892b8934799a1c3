import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { GitServer } from './gitServer.ts';

/** What git keeps of a file that Git LFS has (github.com/git-lfs/git-lfs, docs/spec.md). */
export function pointerTo(content: string): string {
  const oid = createHash('sha256').update(content).digest('hex');
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${Buffer.byteLength(content)}\n`;
}

/** The download half of the batch API, for one repository. @param name without `.git` @param auth who is let in; everybody */
export function serveLargeFiles(server: GitServer, name: string, contents: readonly string[], auth?: string): void {
  const known = new Map(contents.map((content) => [createHash('sha256').update(content).digest('hex'), content]));
  const isRefused = ({ headers }: IncomingMessage): boolean =>
    auth !== undefined && headers.authorization !== `Basic ${Buffer.from(auth).toString('base64')}`;
  server.handle(`${name}.git/info/lfs/`, async (request, response) => {
    if (isRefused(request)) {
      response.writeHead(401, { 'lfs-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    if (request.method === 'GET') {
      const content = known.get(request.url?.split('/').at(-1) ?? '');
      response.writeHead(content === undefined ? 404 : 200).end(content);
      return;
    }
    const asked = JSON.parse(await text(request)) as { objects: { oid: string; size: number }[] };
    const { authorization } = request.headers;
    const header = authorization === undefined ? {} : { authorization };
    const objects = asked.objects.map(({ oid, size }) => {
      const download = { href: server.url(`${name}.git/info/lfs/${oid}`), header };
      return { oid, size, authenticated: true, actions: { download } };
    });
    response.writeHead(200, { 'content-type': 'application/vnd.git-lfs+json' });
    response.end(JSON.stringify({ transfer: 'basic', objects }));
  });
}
