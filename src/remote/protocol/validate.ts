/**
 * Checks of data from the other side, which the types describe only once it has been checked. Each check is a table of
 * fields, which the compiler refuses if a field is missing.
 */
import { isCapabilitySlot } from './capabilities.ts';
import type { ClientMessage, Credentials, Unconfirmed } from './messages.ts';

/** Characters of the name of a client. */
export const MAX_NAME_LENGTH = 200;
/** Number of handles in one {@link Unconfirmed}. */
export const MAX_UNCONFIRMED = 1000;
/** Number of objects that a client may adopt in one call. */
export const MAX_ADOPTED = 1000;

export type Check<T> = (value: unknown) => value is T;

/** A check for each field. */
export type FieldChecks<T> = { readonly [Field in keyof T]-?: Check<T[Field]> };

/** Checks of the fields of each message, by its type. */
export type MessageChecks<Message extends { type: string }> = {
  readonly [Type in Message['type']]: FieldChecks<Omit<Extract<Message, { type: Type }>, 'type'>>;
};

/** Returns a check of an object with these fields; others are ignored. */
export function recordOf<T>(checks: FieldChecks<T>): Check<T> {
  const fields = Object.keys(checks);
  const byIndex = Object.values<Check<unknown>>(checks);
  return (value): value is T => {
    if (!isRecord(value)) return false;
    for (let index = 0; index < fields.length; ++index) if (!byIndex[index]!(value[fields[index]!])) return false;
    return true;
  };
}

/** Returns a check of a message of a known type, with the fields of that type. */
export function messageOf<Message extends { type: string }>(checks: MessageChecks<Message>): Check<Message> {
  const byType = new Map<unknown, Check<unknown>>(
    Object.entries<FieldChecks<unknown>>(checks).map(([type, fields]) => [type, recordOf(fields)]),
  );
  return (value): value is Message => isRecord(value) && byType.get(value['type'])?.(value) === true;
}

export function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value): value is T | undefined => value === undefined || check(value);
}

/** @param max number of elements */
export function listOf<T>(check: Check<T>, max = Infinity): Check<T[]> {
  return (value): value is T[] => Array.isArray(value) && value.length <= max && value.every(check);
}

/** Returns a check for what is checked elsewhere: by the called method, or where the object that is meant is known. */
export function unchecked<T>(): Check<T> {
  function check(value: unknown): value is T;
  function check(): boolean {
    return true;
  }
  return check;
}

/** Accepts any array: its elements are checked elsewhere. */
export function isList(value: unknown): value is unknown[] {
  return Array.isArray(value);
}

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

export function isFlag(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

export function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

export function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Whether it can be the name of a client. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME_LENGTH;
}

/** Whether it can be the handle of an object. */
export function isHandle(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isTarget(value: unknown): value is string | number {
  return isText(value) || isInteger(value);
}

const request = { target: isTarget, method: isText, args: isList } as const;

export const isClientMessage = messageOf<ClientMessage>({
  call: { id: isInteger, ...request, key: optional(isName) },
  send: request,
  listen: { handle: isInteger, name: isText, listening: isFlag },
  followRooms: {},
  capabilities: { slot: isCapabilitySlot, rtpCapabilities: isRecord },
});

const isWellFormed = recordOf<Credentials>({
  protocol: isNumber,
  token: optional(isText),
  session: optional(recordOf<NonNullable<Credentials['session']>>({ id: isText, received: isInteger })),
  endSessionId: optional(isText),
  name: optional(isName),
  instance: optional(isText),
  canMove: optional(isFlag),
  lists: optional(isFlag),
});

/** Clients of the same name are told apart by their instances: a name needs one. */
export function isCredentials(value: unknown): value is Credentials {
  return isWellFormed(value) && (value.name === undefined || isName(value.instance));
}

export const isUnconfirmed = recordOf<Unconfirmed>({
  mafaldaRouter: isText,
  handles: listOf(isInteger, MAX_UNCONFIRMED),
  number: optional(isInteger),
});

/** Whether they can be the handles of objects that a client adopts. */
export const areAdopted = listOf(isHandle, MAX_ADOPTED);
