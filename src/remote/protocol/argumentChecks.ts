/** Checks that mediasoup makes before it sends anything; mirrors make them too, with the same error messages. */
import type { ConsumerLayers, DtlsParameters } from 'mediasoup/types';

export function mustBeBuffer(name: string, packet: unknown): undefined {
  if (!Buffer.isBuffer(packet)) throw new TypeError(`${name} must be a Buffer`);
}

export function mustBeMessage(message: unknown): undefined {
  if (typeof message !== 'string' && !Buffer.isBuffer(message))
    throw new TypeError('message must be a string or a Buffer');
}

export function mustBeLayers({ spatialLayer, temporalLayer }: Partial<ConsumerLayers>): undefined {
  if (typeof spatialLayer !== 'number') throw new TypeError('spatialLayer must be a number');
  if (typeof (temporalLayer ?? 0) !== 'number') throw new TypeError('if given, temporalLayer must be a number');
}

export function mustBePriority(priority: unknown): undefined {
  if (typeof priority !== 'number' || priority < 0) throw new TypeError('priority must be a positive number');
}

export function mustBeTraceTypes(types: unknown = []): undefined {
  if (!Array.isArray(types)) throw new TypeError('types must be an array');
  if (types.some(type => typeof type !== 'string')) throw new TypeError('every type must be a string');
}

export function mustHaveFingerprints({ dtlsParameters }: { dtlsParameters?: Partial<DtlsParameters> }): undefined {
  if (!Array.isArray(dtlsParameters?.fingerprints)) throw new TypeError('dtlsParameters.fingerprints must be an array');
}
