// The token that a page of a list ends with: opaque to clients, and all that the server needs to go on.
import { badRequest, StatusError } from '../store/status-error.ts';

/** Where a page ended. */
export interface ContinueToken {
  /** The moment that all pages show; -1 when it could not be kept and the rest shows the present. */
  readonly resourceVersion: number;
  /** The key of the last object that was given out. */
  readonly after: string;
}

const tokenVersion = 'meta.k8s.io/v1';

/** The text of a token, fit for a URL. */
export function encodeContinue({ resourceVersion, after }: ContinueToken): string {
  const token = { v: tokenVersion, rv: resourceVersion, start: `${after}\0` };
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

/** @throws StatusError 400 for a token that this server didn't make. */
export function decodeContinue(text: string): ContinueToken {
  const json = Buffer.from(text, 'base64url').toString('utf8');
  let token: { v?: unknown; rv?: unknown; start?: unknown } | null;
  try {
    token = JSON.parse(json);
  } catch {
    throw notValid(`invalid character '${json.charAt(0)}' looking for beginning of value`);
  }
  const { v, rv, start } = token ?? {};
  if (v !== tokenVersion) throw notValid(`server does not recognize this encoded version ${v ?? ''}`);
  if (typeof start !== 'string' || start === '')
    throw notValid(`encoded start key empty (version ${tokenVersion})`);
  return { resourceVersion: typeof rv === 'number' ? rv : 0, after: start.replace(/\0$/, '') };
}

function notValid(why: string): StatusError {
  return badRequest(`invalid continue token: continue key is not valid: ${why}`);
}

/** 410 for a token whose moment is forgotten, with another one that goes on with what there is now. */
export function expiredToken(token: ContinueToken): StatusError {
  const rest = encodeContinue({ ...token, resourceVersion: -1 });
  return new StatusError(410, 'Expired', expired, undefined, { continue: rest });
}

const expired =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
  'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
  'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
  'deleted between the time the first chunk was returned and now may show up in the list.';
