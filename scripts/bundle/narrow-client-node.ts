// Of @kubernetes/client-node the agent needs KubeConfig alone, and of that what it knows, not how it connects: the entry point
// brings 700 files of generated API with it, and KubeConfig itself clients and agents for every kind of proxy.
import { dirname, join } from 'node:path';
import type { Options } from 'tsup';

type Plugin = NonNullable<Options['esbuildPlugins']>[number];

/** What KubeConfig connects with. Core connects by itself, and asks it for headers and certificates only. */
const connecting: Readonly<Record<string, readonly string[]>> = {
  './gen/index.js': ['createConfiguration', 'ServerConfiguration'],
  undici: ['Agent', 'ProxyAgent'],
  socks: ['SocksClient'],
  'socks-proxy-agent': ['SocksProxyAgent'],
  hpagent: ['HttpProxyAgent', 'HttpsProxyAgent'],
};

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
    build.onResolve({ filter: /.*/ }, ({ path, importer }) => {
      if (!importer.endsWith('/@kubernetes/client-node/dist/config.js')) return undefined;
      return path in connecting ? { path, namespace: 'left-out' } : undefined;
    });
    // The build fails, by name, when KubeConfig takes more of them one day.
    build.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
      contents: (connecting[path] ?? []).map((name) => leftOut(name, path)).join('\n'),
      loader: 'js',
    }));
  },
};

/** Whoever comes to use it learns that it isn't there, and why, at its first call. */
function leftOut(name: string, from: string): string {
  const message = `${name} of ${from} is left out of the bundle: connections are made by @liberator/core`;
  return `export function ${name}() { throw new Error(${JSON.stringify(message)}); }`;
}
