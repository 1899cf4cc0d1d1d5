// Of undici the agent needs connections alone; its entry point loads fetch, WebSocket, caches and mocks as well and, being
// CommonJS, nothing of it can be dropped for not being used.
import { dirname } from 'node:path';
import type { Options } from 'tsup';

type Plugin = NonNullable<Options['esbuildPlugins']>[number];

/** What core takes of it. The build fails, by name, when it takes more one day. */
const dispatchers = `
export { default as Pool } from './lib/dispatcher/pool.js';
export { default as ProxyAgent } from './lib/dispatcher/proxy-agent.js';
`;

export const narrowUndici: Plugin = {
  name: 'narrow-undici',
  setup(build) {
    build.onResolve({ filter: /^undici$/ }, async ({ path, kind, resolveDir, pluginData }) => {
      if (pluginData === 'narrowed') return undefined;
      const entry = await build.resolve(path, { kind, resolveDir, pluginData: 'narrowed' });
      if (entry.errors.length > 0) return { errors: entry.errors };
      return { path: entry.path, namespace: 'dispatchers' };
    });
    build.onLoad({ filter: /.*/, namespace: 'dispatchers' }, ({ path }) => ({
      contents: dispatchers,
      loader: 'js',
      resolveDir: dirname(path),
    }));
  },
};
