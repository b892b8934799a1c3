import { SpoonError } from '../../protocol/errors.ts';
import { maxEditedFileBytes } from '../../protocol/limits.ts';
import { frame } from '../../protocol/overlayFrames.ts';
import { JsonFields } from '../http/jsonFields.ts';
import type { BoxdRoute, BoxdUpgrade } from '../http/route.ts';
import type { Files, WriteBase } from './files.ts';
import { watchFolders } from './folderWatch.ts';

export function fileRoutes(files: Files): BoxdRoute[] {
  const pathOf = (query: URLSearchParams): string => query.get('path') ?? '';
  const moved = async (json: () => Promise<unknown>) => {
    const fields = new JsonFields(await json());
    return { from: fields.text('from'), to: fields.text('to'), overwrite: fields.flag('overwrite') };
  };
  return [
    {
      method: 'GET',
      path: '/v1/files/stat',
      handle: async ({ query }) => ({ json: await files.stat(pathOf(query)) }),
    },
    {
      method: 'GET',
      path: '/v1/files/list',
      handle: async ({ query }) => ({ json: await files.list(pathOf(query)) }),
    },
    {
      method: 'GET',
      path: '/v1/files/content',
      async handle({ query }) {
        const { stat, bytes } = await files.read(pathOf(query));
        return { bytes: Buffer.concat([...frame(Buffer.from(JSON.stringify(stat))), ...frame(bytes)]) };
      },
    },
    {
      method: 'POST',
      path: '/v1/files/content',
      handle: async ({ query, body }) => ({
        json: await files.write(pathOf(query), await readBytes(body), baseOf(query)),
      }),
    },
    {
      method: 'POST',
      path: '/v1/files/folders',
      handle: async ({ json }) => ({ json: await files.createFolder(new JsonFields(await json()).text('path')) }),
    },
    {
      method: 'POST',
      path: '/v1/files/move',
      handle: async ({ json }) => ({ json: await files.move(await moved(json)) }),
    },
    {
      method: 'POST',
      path: '/v1/files/copy',
      handle: async ({ json }) => ({ json: await files.copy(await moved(json)) }),
    },
    {
      method: 'DELETE',
      path: '/v1/files',
      handle: ({ query }) => files.remove(pathOf(query), query.get('recursive') === 'true'),
    },
  ];
}

export function fileWatchUpgrade(home: string): BoxdUpgrade {
  return { path: '/v1/files/watch', accept: () => (webSocket, socket) => watchFolders(home, webSocket, socket) };
}

function baseOf(query: URLSearchParams): WriteBase {
  const version = query.get('version');
  if (version !== null) return { version };
  if (query.get('create') === '1') return 'create';
  throw new SpoonError('version-required');
}

async function readBytes(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxEditedFileBytes) throw new SpoonError('body-too-large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}
