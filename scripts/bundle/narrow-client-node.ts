// Of @kubernetes/client-node the agent needs KubeConfig alone; its entry point brings 700 files of generated API with it.
import { dirname, join } from 'node:path';
import type { Options } from 'tsup';

type Plugin = NonNullable<Options['esbuildPlugins']>[number];

/** What KubeConfig takes from the generated part. The build fails, by name, when it takes more one day. */
const generated = `
export { createConfiguration } from './gen/configuration.js';
export { ServerConfiguration } from './gen/servers.js';
`;

export const narrowClientNode: Plugin = {
  name: 'narrow-client-node',
  setup(build) {
    build.onResolve(
      { filter: /^@kubernetes\/client-node$/ },
      async ({ path, kind, resolveDir, pluginData }) => {
        if (pluginData === 'narrowed') return undefined;
        const entry = await build.resolve(path, { kind, resolveDir, pluginData: 'narrowed' });
        if (entry.errors.length > 0) return { errors: entry.errors };
        return { path: join(dirname(entry.path), 'config.js') };
      },
    );
    build.onResolve({ filter: /^\.\/gen\/index\.js$/ }, ({ importer }) => {
      if (!importer.endsWith('/@kubernetes/client-node/dist/config.js')) return undefined;
      return { path: importer, namespace: 'narrowed' };
    });
    build.onLoad({ filter: /.*/, namespace: 'narrowed' }, ({ path }) => ({
      contents: generated,
      loader: 'js',
      resolveDir: dirname(path),
    }));
  },
};
