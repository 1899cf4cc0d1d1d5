import type { Recovery } from './report.ts';
export function recoveryPicture(recovery: Recovery): string { return JSON.stringify(recovery); }
