// The second half of `npm run check:rooms`: what runs, without types, and where it leads in the end.
import type { IConfiguration } from 'dependency-cruiser';
import { detourRules, options } from './rooms.config.ts';

const config: IConfiguration = {
  forbidden: [...detourRules],
  options: { ...options, tsPreCompilationDeps: false },
};

export default config;
