/** What comes from the wire is not what the types say until it has been looked at. */
import { isCapabilitySlot } from './capabilities.ts';
import type { ClientMessage, Credentials, Unconfirmed } from './messages.ts';

export const MAX_NAME_LENGTH = 200;
/** So many handles a client may name at once of what it has closed in an earlier session. */
export const MAX_UNCONFIRMED = 1000;

/** How each type of message has to look. */
export type Checks<Message extends { type: string }> = Readonly<Record<Message['type'], (message: Record<string, unknown>) => boolean>>;

/** Whether it is a message of a type that there is, and looks like one. */
export function isOneOf<Message extends { type: string }>(value: unknown, checks: Checks<Message>): value is Message {
  if (!isRecord(value)) return false;
  const { type } = value;
  return typeof type === 'string' && Object.hasOwn(checks, type) && checks[type as Message['type']](value);
}

const looks: Checks<ClientMessage> = {
  call: message => Number.isSafeInteger(message['id']) && isRequest(message),
  send: isRequest,
  listen: ({ handle, name, listening }) => Number.isSafeInteger(handle) && typeof name === 'string' && typeof listening === 'boolean',
  capabilities: ({ slot, rtpCapabilities }) => isCapabilitySlot(slot) && isRecord(rtpCapabilities),
};

export function isClientMessage(value: unknown): value is ClientMessage {
  return isOneOf(value, looks);
}

function isRequest({ target, method, args }: Record<string, unknown>): boolean {
  return (typeof target === 'string' || Number.isSafeInteger(target)) && typeof method === 'string' && Array.isArray(args);
}

export function isCredentials(value: unknown): value is Credentials {
  if (!isRecord(value)) return false;
  const { protocol, token, session, abandoned, name, instance } = value;
  const isSession = isRecord(session) && typeof session['id'] === 'string' && Number.isSafeInteger(session['received']);
  const isNamed = isName(name) && isName(instance);
  return (
    typeof protocol === 'number' &&
    isOptionalString(token) &&
    (session === undefined || isSession) &&
    isOptionalString(abandoned) &&
    (isNamed || (name === undefined && isOptionalString(instance)))
  );
}

export function isUnconfirmed(value: unknown): value is Unconfirmed {
  if (!isRecord(value)) return false;
  const { mafaldaRouter, handles, number } = value;
  const areHandles = Array.isArray(handles) && handles.length <= MAX_UNCONFIRMED && handles.every(Number.isSafeInteger);
  return typeof mafaldaRouter === 'string' && areHandles && (number === undefined || Number.isSafeInteger(number));
}

/** Under which a client may come back. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME_LENGTH;
}

function isOptionalString(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

/** Of an object that a server has told of. */
export function isHandle(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
