/** Checks of data from a client, which the types describe only once it has been checked. */
import { isCapabilitySlot } from './capabilities.ts';
import type { ClientMessage, Credentials, Unconfirmed } from './messages.ts';

export const MAX_NAME_LENGTH = 200;
/** Number of handles in one {@link Unconfirmed}. */
export const MAX_UNCONFIRMED = 1000;
/** Number of objects that a client may adopt in one call. */
export const MAX_ADOPTED = 1000;

/** Checks of the fields of each message, by its type. */
export type Checks<Message extends { type: string }> = Readonly<
  Record<Message['type'], (message: Record<string, unknown>) => boolean>
>;

/** Whether it is a message of a known type, with fields that pass its check. */
export function isOneOf<Message extends { type: string }>(value: unknown, checks: Checks<Message>): value is Message {
  if (!isRecord(value)) return false;
  const { type } = value;
  return typeof type === 'string' && Object.hasOwn(checks, type) && checks[type as Message['type']](value);
}

const messageChecks: Checks<ClientMessage> = {
  call: message =>
    Number.isSafeInteger(message['id']) &&
    isRequest(message) &&
    (message['key'] === undefined || isName(message['key'])),
  send: isRequest,
  listen: ({ handle, name, listening }) =>
    Number.isSafeInteger(handle) && typeof name === 'string' && typeof listening === 'boolean',
  followRooms: () => true,
  capabilities: ({ slot, rtpCapabilities }) => isCapabilitySlot(slot) && isRecord(rtpCapabilities),
};

export function isClientMessage(value: unknown): value is ClientMessage {
  return isOneOf(value, messageChecks);
}

function isRequest({ target, method, args }: Record<string, unknown>): boolean {
  return (
    (typeof target === 'string' || Number.isSafeInteger(target)) && typeof method === 'string' && Array.isArray(args)
  );
}

export function isCredentials(value: unknown): value is Credentials {
  if (!isRecord(value)) return false;
  const { protocol, token, session, endSessionId, name, instance, canMove } = value;
  const isSession = isRecord(session) && typeof session['id'] === 'string' && Number.isSafeInteger(session['received']);
  const isNamed = isName(name) && isName(instance);
  return (
    typeof protocol === 'number' &&
    isOptionalString(token) &&
    (session === undefined || isSession) &&
    isOptionalString(endSessionId) &&
    (canMove === undefined || typeof canMove === 'boolean') &&
    (isNamed || (name === undefined && isOptionalString(instance)))
  );
}

export function isUnconfirmed(value: unknown): value is Unconfirmed {
  if (!isRecord(value)) return false;
  const { mafaldaRouter, handles, number } = value;
  const areHandles = Array.isArray(handles) && handles.length <= MAX_UNCONFIRMED && handles.every(Number.isSafeInteger);
  return typeof mafaldaRouter === 'string' && areHandles && (number === undefined || Number.isSafeInteger(number));
}

/** Whether they can be the handles of objects that a client adopts. */
export function areAdopted(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= MAX_ADOPTED && value.every(isHandle);
}

/** Whether it can be the name of a client. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME_LENGTH;
}

function isOptionalString(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

/** Whether it can be the handle of an object. */
export function isHandle(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
