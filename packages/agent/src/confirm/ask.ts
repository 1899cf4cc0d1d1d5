// Asks for the name of the node, since a "y" is typed before it is read.
import { createInterface } from 'node:readline/promises';

export type Answer = 'confirmed' | 'declined' | 'interrupted';

export async function askForName(
  node: string,
  { input, output }: { readonly input: NodeJS.ReadableStream; readonly output: NodeJS.WritableStream },
  question: string = `If this machine is off for certain, type its name, ${node}: `,
): Promise<Answer> {
  const lines = createInterface({ input, output });
  try {
    const interrupted = new Promise<Answer>((resolve) => {
      lines.once('SIGINT', () => resolve('interrupted'));
    });
    const ended = new Promise<Answer>((resolve) => {
      lines.once('close', () => resolve('declined'));
    });
    const typed = lines
      .question(question)
      .then((text): Answer => (text.trim() === node ? 'confirmed' : 'declined'));
    return await Promise.race([typed, interrupted, ended]);
  } finally {
    lines.close();
  }
}
