/**
 * Calls that are asked again, of another server, when theirs was lost before it answered: to ask twice changes nothing
 * that asking once does not.
 */
import { randomUUID } from 'node:crypto';
import { keyOf } from '../../core/idempotencyKeys.ts';
import { created } from '../protocol/calls.ts';
import type { MirrorCore } from './mirrorCore.ts';

const repeatable: ReadonlySet<string> = new Set([
  ...['pause', 'resume', 'dump', 'getStats', 'getResourceUsage', 'getResourceUsages', 'enableTraceEvent', 'restartIce'],
  ...['setMaxIncomingBitrate', 'setMaxOutgoingBitrate', 'setMinOutgoingBitrate'],
  ...['setPreferredLayers', 'setPriority', 'unsetPriority', 'requestKeyFrame'],
  ...['setBufferedAmountLowThreshold', 'getBufferedAmount', 'setSubchannels', 'addSubchannel', 'removeSubchannel'],
  ...['addProducer', 'removeProducer', 'updateMediaCodecs'],
  ...['createMafaldaRouter', 'findMafaldaRouter', 'listMafaldaRouters', 'attach', 'getRtpCapabilities'],
  ...['openLink', 'offerPipe', 'connectLink', 'confirmPipes', 'leaveLinks'],
]);

/** Methods that create an object whose id the caller has chosen: whether it exists can be seen. */
const identified: ReadonlyMap<string, 'Producer' | 'DataProducer'> = new Map([
  ['produce', 'Producer'],
  ['produceData', 'DataProducer'],
]);

export function isRepeatable(method: string): boolean {
  return repeatable.has(method) || identified.has(method) || method === 'connect';
}

/** Returns the class of the object that the method creates under an id of the caller's. */
export function identifiedClass(method: string): 'Producer' | 'DataProducer' | undefined {
  return identified.get(method);
}

/**
 * Returns the idempotency key of a call that creates an object.
 * @param args may have a key already, if the call is passed on for a client
 * @param canMove whether the object may have to be recognised at another server
 */
export function keyFor(method: string, args: unknown[], canMove: boolean): string | undefined {
  if (!created.has(method)) return undefined;
  const [options] = args;
  return keyOf(isRecord(options) ? options['appData'] : undefined) ?? (canMove ? randomUUID() : undefined);
}

/** Returns the arguments with an id for the object that the method creates, so that it can be found again. */
export function withOwnId(method: string, args: unknown[]): unknown[] {
  const [options, ...others] = args;
  if (!identified.has(method) || (options !== undefined && !isRecord(options))) return args;
  return [{ ...options, id: options?.['id'] ?? randomUUID() }, ...others];
}

/** Whether the state of a Transport shows that it is connected already, so that another `connect()` would be refused. */
export function isConnected(transport: MirrorCore): boolean {
  const { role } = (transport.read('dtlsParameters') ?? {}) as { role?: unknown };
  const { remoteIp } = (transport.read('tuple') ?? {}) as { remoteIp?: unknown };
  return transport.className === 'WebRtcTransport' ? role !== 'auto' : typeof remoteIp === 'string' && remoteIp !== '';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
