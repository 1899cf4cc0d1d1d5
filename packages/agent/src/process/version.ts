// The version of this package. Imported, not read at run time, so that a bundle carries it along.
import manifest from '../../package.json' with { type: 'json' };

export const version: string = manifest.version;
