// The second half of `npm run check:rooms`: what runs, without types, and where it leads in the end.
import type { IConfiguration } from 'dependency-cruiser';
import { detourRulesBut, options, unfinished } from './rooms.config.ts';

const config: IConfiguration = {
  forbidden: detourRulesBut(unfinished),
  options: { ...options, tsPreCompilationDeps: false },
};

export default config;
