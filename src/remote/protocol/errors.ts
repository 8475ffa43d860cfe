/** Errors keep their class across the wire. */
import { NotFoundError, UnsupportedError, WorkerClosedError } from 'mediasoup/errors';
import { StaleLinkError } from '../../shared/piping/endpoint.ts';

export interface WireError {
  name: string;
  message: string;
}

type ErrorClass = new (message: string) => Error;

const errorClasses: Readonly<Record<string, ErrorClass>> = {
  Error,
  TypeError,
  RangeError,
  NotFoundError,
  UnsupportedError,
  WorkerClosedError,
  StaleLinkError,
};

export function encodeError(error: unknown): WireError {
  return error instanceof Error ? { name: error.name, message: error.message } : { name: 'Error', message: String(error) };
}

export function decodeError({ name, message }: WireError): Error {
  if (Object.hasOwn(errorClasses, name)) return new errorClasses[name]!(String(message));
  return Object.assign(new Error(String(message)), { name: String(name) });
}
