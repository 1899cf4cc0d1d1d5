// The answers that faults give in the server's place: worded as a real one words them when it is in trouble.
import { failure } from '../http/handler.ts';
import type { ApiResponse } from '../http/request.ts';
import { StatusError } from '../store/status-error.ts';
import type { FaultEffect, RequestFacts } from './fault.ts';

type AnswerEffect = Extract<FaultEffect, { kind: 'answer' }>;

/** The answer of an `answer` fault. */
export function injectedAnswer({ code, retryAfterSeconds }: AnswerEffect, facts: RequestFacts): ApiResponse {
  const details = { ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
  const { reason, message } = wordsOf(code, facts);
  return failure(new StatusError(code, reason, message, details));
}

function wordsOf(code: AnswerEffect['code'], facts: RequestFacts): { reason: string; message: string } {
  const { user, verb, resource = 'path', name = '' } = facts;
  switch (code) {
    case 401:
      return { reason: 'Unauthorized', message: 'Unauthorized' };
    case 403:
      return {
        reason: 'Forbidden',
        message: `${resource} is forbidden: User "${user}" cannot ${verb} resource "${resource}"`,
      };
    case 409:
      return {
        reason: 'Conflict',
        message: `Operation cannot be fulfilled on ${resource} "${name}": the object has been modified; please apply your changes to the latest version and try again`,
      };
    case 429:
      return {
        reason: 'TooManyRequests',
        message: 'the server has received too many requests and has asked us to try again later',
      };
    case 500:
      return { reason: 'InternalError', message: 'Internal error occurred: etcdserver: leader changed' };
    case 502:
      return {
        reason: 'ServiceUnavailable',
        message: 'the server is currently unable to handle the request',
      };
    case 503:
      return {
        reason: 'ServiceUnavailable',
        message: 'the server is currently unable to handle the request',
      };
    case 504:
      return {
        reason: 'Timeout',
        message:
          'the server was unable to return a response in the time allotted, but may still be processing the request',
      };
  }
}

/** 410, as a list gives it and as a watch says it in its stream. */
export function expiredStatus(): StatusError {
  return new StatusError(410, 'Expired', 'too old resource version: 1 (2)');
}
