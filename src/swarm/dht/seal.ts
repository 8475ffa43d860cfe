/**
 * Seal of the datagrams between peers: only members of the group, who have its key, can write or read them. Each
 * datagram has a key of its own, derived from the group's key and 16 random bytes, so that no nonce ever repeats.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

export const KEY_BYTES = 32;
const SALT_BYTES = 16;
const TAG_BYTES = 16;
const TIME_BYTES = 6;
const ALGORITHM = 'chacha20-poly1305';
const OPTIONS = { authTagLength: TAG_BYTES };
/** Nonce of all datagrams: a key is used once. */
const NONCE = Buffer.alloc(12);

/** Bytes that a datagram grows by. */
export const SEAL_BYTES = SALT_BYTES + TIME_BYTES + TAG_BYTES;
/** Age beyond which a datagram is not taken, in ms, and the difference between two clocks that is put up with. */
export const MAX_AGE_MS = 30_000;
/** Datagrams that are remembered in order to notice a repeat, for each half of the time that a repeat can be taken. */
const MAX_REMEMBERED = 50_000;

export class Seal {
  /** Keys of the group, 32 bytes each: the first seals, all open. */
  keys: readonly Buffer[];
  readonly #now: () => number;
  /** Salts of the datagrams that were taken, of the present period and of the period before it. */
  #recent = new Set<string>();
  #earlier = new Set<string>();
  #period = 0;

  /** @param now returns the time in ms */
  constructor(keys: readonly Buffer[], now: () => number = Date.now) {
    this.keys = keys;
    this.#now = now;
  }

  close(datagram: Buffer): Buffer {
    const salt = randomBytes(SALT_BYTES);
    const cipher = createCipheriv(ALGORITHM, keyFor(this.keys[0]!, salt), NONCE, OPTIONS);
    const time = Buffer.alloc(TIME_BYTES);
    time.writeUIntBE(this.#now(), 0, TIME_BYTES);
    return Buffer.concat([salt, cipher.update(time), cipher.update(datagram), cipher.final(), cipher.getAuthTag()]);
  }

  /** @returns undefined for a datagram of a stranger, and for a datagram that is old or was opened before */
  open(sealed: Buffer): Buffer | undefined {
    if (sealed.length < SEAL_BYTES) return undefined;
    const salt = sealed.subarray(0, SALT_BYTES);
    for (const key of this.keys) {
      const opened = decrypt(key, salt, sealed);
      if (!opened) continue;
      const age = this.#now() - opened.readUIntBE(0, TIME_BYTES);
      if (Math.abs(age) > MAX_AGE_MS || this.#isRepeat(salt)) return undefined;
      return opened.subarray(TIME_BYTES);
    }
    return undefined;
  }

  /** Remembers the datagram. @returns whether it was remembered already */
  #isRepeat(salt: Buffer): boolean {
    // A datagram can be taken for twice its greatest age, if its sender's clock is ahead.
    const period = Math.floor(this.#now() / (2 * MAX_AGE_MS));
    if (period !== this.#period || this.#recent.size >= MAX_REMEMBERED) {
      this.#earlier = this.#recent;
      this.#recent = new Set();
      this.#period = period;
    }
    const name = salt.toString('latin1');
    if (this.#recent.has(name) || this.#earlier.has(name)) return true;
    this.#recent.add(name);
    return false;
  }
}

function keyFor(groupKey: Buffer, salt: Buffer): Buffer {
  return createHmac('sha256', groupKey).update('mafalda swarm datagram').update(salt).digest();
}

function decrypt(groupKey: Buffer, salt: Buffer, sealed: Buffer): Buffer | undefined {
  const decipher = createDecipheriv(ALGORITHM, keyFor(groupKey, salt), NONCE, OPTIONS);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(SALT_BYTES, sealed.length - TAG_BYTES)), decipher.final()]);
  } catch {
    // Another key, or no member of the group.
    return undefined;
  }
}
