import { readFileSync } from 'node:fs';
import type { Stat } from '../protocol/boxd.ts';
import { boxdProtocol } from '../protocol/version.ts';
import type { BoxdRoute } from './http/route.ts';

/** @param folder where boxd's bundle lies */
export function statRoute(folder: string): BoxdRoute {
  const build = readBuild(folder);
  const startedMs = Date.now();
  return {
    method: 'GET',
    path: '/v1/stat',
    handle() {
      const stat: Stat = {
        protocol: boxdProtocol,
        build,
        pid: process.pid,
        rssBytes: process.memoryUsage.rss(),
        startedMs,
      };
      return { json: stat };
    },
  };
}

/** The bundle's content hash, which `scripts/buildBoxd.ts` lays beside it; run from the sources there is none. */
function readBuild(folder: string): string {
  try {
    const { build } = JSON.parse(readFileSync(`${folder}/build.json`, 'utf8')) as { build?: unknown };
    return String(build).slice(0, 128);
  } catch {
    return 'sources';
  }
}
