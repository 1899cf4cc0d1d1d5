// Compiles pieces of TypeScript as if they were files of this folder, without writing them anywhere.
import { join } from 'node:path';
import ts from 'typescript';
import { root } from '../documents/documents.ts';

export interface Piece {
  /** How messages name it. */
  readonly at: string;
  readonly text: string;
}

/** What the compiler has to say, one line each. With the project's own settings, so strict ones. */
export function compile(pieces: readonly Piece[]): readonly string[] {
  const files = new Map(pieces.map((piece, index) => [join(root, `test/docs/piece-${index}.ts`), piece]));
  const options = compilerOptions();
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile } = host;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.getSourceFile = (path, target, ...more) => {
    const piece = files.get(path);
    // `export {}`: a piece without imports is a module too, and may await.
    return piece === undefined
      ? getSourceFile(path, target, ...more)
      : ts.createSourceFile(path, `${piece.text}\nexport {};\n`, target);
  };
  const program = ts.createProgram({ rootNames: [...files.keys()], options, host });
  return [...files].flatMap(([path, { at }]) => {
    const file = program.getSourceFile(path);
    // Of these files alone: what they import is checked by the compiler's own run.
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    return found.map(({ start = 0, messageText }) => {
      const line = (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1;
      return `${at}, its line ${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  });
}

function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  // What a reader copies into a program exports nothing, and may leave something for the reader to use.
  return { ...options, isolatedDeclarations: false, declaration: false, noUnusedLocals: false };
}
