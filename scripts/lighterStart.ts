import type { Plugin } from 'esbuild';

/**
 * Of dockerode, for what the service never does: Docker of another machine over SSH, and image builds that ask back. A quarter of the bundle,
 * all of it run at every start.
 */
const unused = /^(ssh2|@grpc\/grpc-js|@grpc\/proto-loader)$/;

/** What a start of the packed service need not load. */
export const lighterStart: Plugin = {
  name: 'lighter-start',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: unused }, ({ path }) => ({ path, namespace: 'unused' }));
    onLoad({ filter: /./, namespace: 'unused' }, () => ({ contents: 'module.exports = {};' }));
    // By require: imported, Node reads each of its exports, and one of them loads the client behind `fetch`.
    onResolve({ filter: /^(node:)?https?$/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path: path.replace(/^(node:)?/, 'node:'), namespace: 'by-require' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'by-require' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};
