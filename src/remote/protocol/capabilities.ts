/**
 * RTP capabilities are by far the largest argument, and an application repeats each participant's with each
 * `consume()`. So a client sends them once, in a message of their own, and refers to them from then on by `{
 * $capabilities: slot }` in the place of `rtpCapabilities`.
 */
import { isSameData } from '../../core/copies.ts';
import { deepFreeze } from './deepFreeze.ts';
import { measure } from './measure.ts';

/** Number of slots that a server keeps for one session. */
export const CAPABILITY_SLOTS = 128;
/** Length limit as JSON, in characters; larger capabilities are sent with each call. */
export const MAX_CAPABILITIES = 16_384;

/** Upper bound of the values in a text of that length; data with more is refused before it is decoded. */
const MAX_VALUES = MAX_CAPABILITIES / 2;

/** A server keeps capabilities as they have arrived, and as mediasoup completes them. */
const KEPT = 2;

const REFERENCE = '$capabilities';

type Options = Record<string, unknown>;

export function isCapabilitySlot(slot: unknown): slot is number {
  return Number.isInteger(slot) && (slot as number) >= 0 && (slot as number) < CAPABILITY_SLOTS;
}

/** Caches encoded capabilities by the application's object, so that an unchanged object is not encoded again. */
export class EncodedCapabilities {
  readonly #known = new WeakMap<object, unknown>();

  /** @returns encoded arguments; the same capabilities are the same object in them, which must not be changed */
  encode(args: unknown[], encode: (args: unknown[]) => unknown[]): unknown[] {
    const options = optionsOf(args);
    const given = options?.['rtpCapabilities'];
    if (!isObject(given) || Object.getPrototypeOf(options) !== Object.prototype) return encode(args);
    const known = this.#known.get(given);
    if (known !== undefined && isSameData(given, known)) {
      const [rest, ...others] = encode([{ ...options, rtpCapabilities: undefined }, ...args.slice(1)]);
      return [{ ...(rest as Options), rtpCapabilities: known }, ...others];
    }
    const encoded = encode(args);
    const rtpCapabilities = optionsOf(encoded)?.['rtpCapabilities'];
    if (isSameData(given, rtpCapabilities)) this.#known.set(given, rtpCapabilities);
    return encoded;
  }
}

/** The client's side: the capabilities that it has sent in this session. */
export class SentCapabilities {
  /** Slots by the JSON of their capabilities, the most recently used last. */
  readonly #slots = new Map<string, number>();
  /** JSON of encoded capabilities, cached since the same object is sent again and again. */
  readonly #texts = new WeakMap<object, string>();
  readonly #send: (slot: number, rtpCapabilities: unknown) => void;

  /** @param send sends them, before the call that refers to them; if it throws, the slots stay as they were */
  constructor(send: (slot: number, rtpCapabilities: unknown) => void) {
    this.#send = send;
  }

  /** @returns encoded arguments as they are to be sent */
  shorten(args: unknown[]): unknown[] {
    const options = optionsOf(args);
    const rtpCapabilities = options?.['rtpCapabilities'];
    if (!isObject(rtpCapabilities)) return args;
    const text = this.#textOf(rtpCapabilities);
    if (text.length > MAX_CAPABILITIES) return args;
    const slot = this.#slots.get(text) ?? this.#sendInFreeSlot(rtpCapabilities);
    this.#slots.delete(text);
    this.#slots.set(text, slot);
    return [{ ...options, rtpCapabilities: { [REFERENCE]: slot } }, ...args.slice(1)];
  }

  #textOf(rtpCapabilities: object): string {
    const text = this.#texts.get(rtpCapabilities) ?? JSON.stringify(rtpCapabilities);
    this.#texts.set(rtpCapabilities, text);
    return text;
  }

  #sendInFreeSlot(rtpCapabilities: unknown): number {
    const [oldest] = this.#slots.size < CAPABILITY_SLOTS ? [] : this.#slots;
    const slot = oldest ? oldest[1] : this.#slots.size;
    this.#send(slot, rtpCapabilities);
    if (oldest) this.#slots.delete(oldest[0]);
    return slot;
  }
}

/** Content of a slot: capabilities, frozen since they are the argument of many calls; or why they can't be used. */
type Slot = ({ rtpCapabilities: unknown } | { error: unknown }) & { bytes: number };

/** The server's side: the capabilities that one client has sent. */
export class ReceivedCapabilities {
  readonly #slots = new Map<unknown, Slot>();
  readonly #accept: (encoded: unknown) => unknown;

  /** @param accept decodes them into data that is not referenced elsewhere, and throws if they are no capabilities */
  constructor(accept: (encoded: unknown) => unknown) {
    this.#accept = accept;
  }

  /**
   * Stores them without ever throwing: if they can't be used, the call that refers to them fails.
   * @returns by how many bytes the kept data has grown
   */
  remember(slot: number, encoded: unknown): number {
    const before = this.#slots.get(slot)?.bytes ?? 0;
    const stored = this.#read(encoded);
    this.#slots.set(slot, stored);
    return stored.bytes - before;
  }

  /**
   * @returns encoded arguments with the capabilities that they refer to, frozen, which marks them as decoded and
   * checked
   * @throws {TypeError} if the slot is empty
   * @throws the stored error if the capabilities in the slot can't be used
   */
  complete(args: unknown[]): unknown[] {
    const options = optionsOf(args);
    const reference = options?.['rtpCapabilities'];
    if (!isObject(reference) || !Object.hasOwn(reference, REFERENCE)) return args;
    const slot = reference[REFERENCE];
    const stored = this.#slots.get(slot);
    if (!stored) throw new TypeError(`a reference to RTP capabilities that were never told (${String(slot)})`);
    if ('error' in stored) throw stored.error;
    return [{ ...options, rtpCapabilities: stored.rtpCapabilities }, ...args.slice(1)];
  }

  #read(encoded: unknown): Slot {
    try {
      const { values, bytes } = measure(encoded);
      if (values > MAX_VALUES) throw new RangeError(`RTP capabilities of more than ${MAX_VALUES} values`);
      // Decoding comes first, since it refuses data that is nested too deep for JSON.stringify().
      const rtpCapabilities = this.#accept(encoded);
      if (JSON.stringify(rtpCapabilities).length > MAX_CAPABILITIES)
        throw new RangeError(`RTP capabilities of more than ${MAX_CAPABILITIES} characters`);
      return { rtpCapabilities: deepFreeze(rtpCapabilities), bytes: KEPT * bytes };
    } catch (error) {
      return { error, bytes: 0 };
    }
  }
}

function optionsOf([options]: unknown[]): Options | undefined {
  return isObject(options) ? options : undefined;
}

function isObject(value: unknown): value is Options {
  return typeof value === 'object' && value !== null;
}
