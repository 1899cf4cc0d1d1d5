// `npm run bundle [-- FOLDER]`: the agent as one file that needs Node.js and nothing else, for the image.
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Options } from 'tsup';
import { lazyBuiltins } from './lazy-builtins.ts';
import { licencesOf } from './licences.ts';
import { narrowClientNode } from './narrow-client-node.ts';
import { narrowUndici } from './narrow-undici.ts';

const outDir = process.argv[2] ?? 'packages/agent/dist/bundle';

/** Packages in CommonJS ask for Node's own modules with `require`, which a module does not have. */
const requireForCommonJs = [
  "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);",
  'const __filename = import.meta.filename;',
  'const __dirname = import.meta.dirname;',
].join('\n');

type Plugin = NonNullable<Options['esbuildPlugins']>[number];

let inputs: readonly string[] = [];
const noteInputs: Plugin = {
  name: 'note-inputs',
  setup({ onEnd }) {
    onEnd(({ metafile }) => {
      // Only what is left of it after unused code was dropped, and only files: "plugin:..." is none.
      inputs = Object.values(metafile?.outputs ?? {}).flatMap((output) =>
        Object.keys(output.inputs).filter(
          (path) => (output.inputs[path]?.bytesInOutput ?? 0) > 0 && !path.includes(':'),
        ),
      );
    });
  },
};

rmSync(outDir, { recursive: true, force: true });
mkdirSync(outDir, { recursive: true });
await build({
  config: false,
  silent: true,
  entry: { liberator: 'packages/agent/src/main.ts' },
  outDir,
  outExtension: () => ({ js: '.mjs' }),
  format: 'esm',
  platform: 'node',
  target: 'node22',
  splitting: false,
  // tsup would drop `node:` before a plugin sees it.
  removeNodeProtocol: false,
  noExternal: [/.*/],
  banner: { js: requireForCommonJs },
  esbuildPlugins: [narrowClientNode, narrowUndici, lazyBuiltins, noteInputs],
  esbuildOptions: (options) => {
    options.conditions = ['@liberator/source'];
    // Packages that come as both: their modules, of which unused parts can be dropped.
    options.mainFields = ['module', 'main'];
    options.metafile = true;
    options.legalComments = 'none';
    // Names stay, for stacks that can be read.
    options.minifyWhitespace = true;
    options.minifySyntax = true;
  },
});
writeFileSync(join(outDir, 'LICENSES.txt'), licencesOf(inputs));
for (const file of ['liberator.mjs', 'LICENSES.txt']) {
  const path = join(outDir, file);
  process.stdout.write(`${path}: ${Math.round(statSync(path).size / 1024)} KiB\n`);
}
