// `-o json`, for whoever reads what people read otherwise.
import { Option } from 'commander';

export interface OutputFlags {
  readonly output: 'text' | 'json';
}

export function outputOption(): Option {
  return new Option('-o, --output <format>', 'how to print it').choices(['text', 'json']).default('text');
}
