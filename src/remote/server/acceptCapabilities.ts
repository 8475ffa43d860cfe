/** RTP capabilities that a client sends once, for all calls that refer to them. */
import * as ortc from 'mediasoup/ortc';
import type { RtpCapabilities } from 'mediasoup/types';
import { copyOf, keepCopy } from '../../core/copies.ts';
import { logger } from '../../core/logger.ts';
import { classShapes } from '../protocol/argumentShapes.ts';
import { decode } from '../protocol/codec.ts';
import { checkArguments } from './checkArguments.ts';

const log = logger('server');

/**
 * Decodes RTP capabilities that will never change.
 * @throws {TypeError} for what can't be RTP capabilities
 */
export function acceptCapabilities(encoded: unknown): RtpCapabilities {
  // References are not resolved, since no object of mediasoup's may be frozen with the capabilities.
  const rtpCapabilities = decode(encoded, () => undefined) as RtpCapabilities;
  checkArguments('consume', classShapes.WebRtcTransport.consume, [{ rtpCapabilities }], () => undefined);
  try {
    keepCopy(rtpCapabilities, normalized(rtpCapabilities));
  } catch (error) {
    // mediasoup tells each call that uses them, after what it has against the call's other arguments.
    log('malformed RTP capabilities: %o', error);
  }
  return rtpCapabilities;
}

/** Returns a copy in which mediasoup, which completes the capabilities of each `consume()`, finds nothing missing. */
function normalized(rtpCapabilities: RtpCapabilities): RtpCapabilities {
  const copy = copyOf(rtpCapabilities);
  ortc.validateAndNormalizeRtpCapabilities(copy);
  return copy;
}
