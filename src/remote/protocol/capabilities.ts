/**
 * RTP capabilities are by far the largest argument, and an application gives the same ones again and again: those of each
 * participant with each `consume()`. So a client says them once, in a message of their own, and refers to them from then on
 * by `{ $capabilities: slot }` in the place of `rtpCapabilities`.
 */
import { isSameData } from '../../core/copies.ts';
import { measure } from './measure.ts';

/** How many a server remembers for one session. */
export const CAPABILITY_SLOTS = 128;
/** As JSON, in characters: larger ones are said with each call. */
export const MAX_CAPABILITIES = 16_384;

/** More than there can be in such a text: then it is not even looked at. */
const MAX_VALUES = MAX_CAPABILITIES / 2;

const REFERENCE = '$capabilities';

type Options = Record<string, unknown>;

export function isCapabilitySlot(slot: unknown): slot is number {
  return Number.isInteger(slot) && (slot as number) >= 0 && (slot as number) < CAPABILITY_SLOTS;
}

/** Capabilities as they were encoded, by the application's object: as long as that says the same, it is not gone through in order to encode it again. */
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

/** The client's side: what has been said in this session. */
export class SaidCapabilities {
  /** By their text, the one that was used last at the end. */
  readonly #slots = new Map<string, number>();
  /** Of encoded capabilities that come again and again. */
  readonly #texts = new WeakMap<object, string>();
  readonly #say: (slot: number, rtpCapabilities: unknown) => void;

  /** @param say sends them, before the call that refers to them; what it throws leaves all as it was */
  constructor(say: (slot: number, rtpCapabilities: unknown) => void) {
    this.#say = say;
  }

  /** @returns encoded arguments as they are to be sent */
  shorten(args: unknown[]): unknown[] {
    const options = optionsOf(args);
    const rtpCapabilities = options?.['rtpCapabilities'];
    if (!isObject(rtpCapabilities)) return args;
    const text = this.#textOf(rtpCapabilities);
    if (text.length > MAX_CAPABILITIES) return args;
    const slot = this.#slots.get(text) ?? this.#sayInFreeSlot(rtpCapabilities);
    this.#slots.delete(text);
    this.#slots.set(text, slot);
    return [{ ...options, rtpCapabilities: { [REFERENCE]: slot } }, ...args.slice(1)];
  }

  #textOf(rtpCapabilities: object): string {
    const text = this.#texts.get(rtpCapabilities) ?? JSON.stringify(rtpCapabilities);
    this.#texts.set(rtpCapabilities, text);
    return text;
  }

  #sayInFreeSlot(rtpCapabilities: unknown): number {
    const [oldest] = this.#slots.size < CAPABILITY_SLOTS ? [] : this.#slots;
    const slot = oldest ? oldest[1] : this.#slots.size;
    this.#say(slot, rtpCapabilities);
    if (oldest) this.#slots.delete(oldest[0]);
    return slot;
  }
}

/** What is in a slot: capabilities that are frozen, since they are the argument of many calls; or why they can't be used. */
type Heard = ({ rtpCapabilities: unknown } | { error: unknown }) & { bytes: number };

/** The server's side: what one client has said. */
export class HeardCapabilities {
  readonly #slots = new Map<unknown, Heard>();
  readonly #accept: (encoded: unknown) => unknown;

  /** @param accept decodes them into data that nobody else has, and throws if they are none */
  constructor(accept: (encoded: unknown) => unknown) {
    this.#accept = accept;
  }

  /**
   * Never throws: it is the call that refers to them which fails, if they can't be used.
   * @returns how many bytes more are kept now
   */
  remember(slot: number, encoded: unknown): number {
    const before = this.#slots.get(slot)?.bytes ?? 0;
    const heard = this.#hear(encoded);
    this.#slots.set(slot, heard);
    return heard.bytes - before;
  }

  /**
   * @returns encoded arguments with the capabilities that they refer to: that those are frozen tells that they have been
   * decoded and checked
   * @throws {TypeError} if there is nothing in that slot, or why what is there can't be used
   */
  complete(args: unknown[]): unknown[] {
    const options = optionsOf(args);
    const reference = options?.['rtpCapabilities'];
    if (!isObject(reference) || !Object.hasOwn(reference, REFERENCE)) return args;
    const slot = reference[REFERENCE];
    const heard = this.#slots.get(slot);
    if (!heard) throw new TypeError(`a reference to RTP capabilities that were never told (${String(slot)})`);
    if ('error' in heard) throw heard.error;
    return [{ ...options, rtpCapabilities: heard.rtpCapabilities }, ...args.slice(1)];
  }

  #hear(encoded: unknown): Heard {
    try {
      const { values, bytes } = measure(encoded);
      if (values > MAX_VALUES) throw new RangeError(`RTP capabilities of more than ${MAX_VALUES} values`);
      // Decoding comes first: it is what looks out for data that is nested so deep that nothing else could go through it.
      const rtpCapabilities = this.#accept(encoded);
      if (JSON.stringify(rtpCapabilities).length > MAX_CAPABILITIES) throw new RangeError(`RTP capabilities of more than ${MAX_CAPABILITIES} characters`);
      return { rtpCapabilities: deepFreeze(rtpCapabilities), bytes };
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

function deepFreeze<T>(value: T): T {
  if (!isObject(value) || ArrayBuffer.isView(value)) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
