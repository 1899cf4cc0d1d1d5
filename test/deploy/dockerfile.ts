// Reads a Dockerfile, as far as ours goes: stages, and what each of them does in which order.
export interface Stage {
  readonly image: string;
  readonly name?: string;
  readonly steps: readonly Step[];
}

export interface Step {
  /** In capitals: `COPY`. */
  readonly instruction: string;
  /** Everything behind it, on one line. */
  readonly text: string;
}

/** @throws Error for a line that is no instruction */
export function readDockerfile(text: string): readonly Stage[] {
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: { image: string; name?: string; steps: Step[] }[] = [];
  for (const line of lines) {
    const [, instruction = '', rest = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (instruction === '') throw new Error(`expected an instruction, found: ${line}`);
    if (instruction === 'FROM') {
      const [, image = '', name] = /^(?:--\S+ )*(\S+)(?: AS (\S+))?$/.exec(rest) ?? [];
      stages.push({ image, ...(name !== undefined && { name }), steps: [] });
    } else {
      stages.at(-1)?.steps.push({ instruction, text: rest });
    }
  }
  return stages;
}

/** All that made a stage: the steps of those that it stands on come first. */
export function wholeStage(stages: readonly Stage[], stage: Stage): readonly Step[] {
  const below = stages.slice(0, stages.indexOf(stage)).findLast(({ name }) => name === stage.image);
  return below === undefined ? stage.steps : [...wholeStage(stages, below), ...stage.steps];
}
