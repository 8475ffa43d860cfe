/** Messages of a server that concern its objects and MafaldaRouters, applied to what stands for them here. */
import { NotFoundError } from 'mediasoup/errors';
import { logger } from '../../core/logger.ts';
import { decode } from '../protocol/codec.ts';
import type { ServerMessage } from '../protocol/messages.ts';
import type { Mirrors } from './mirrors.ts';
import type { RemoteMafaldaRouter } from './remoteMafaldaRouter.ts';
import type { ToldRooms } from './toldRooms.ts';

const log = logger('client');

interface MirrorUpdatesOptions {
  mirrors: Mirrors;
  mafaldaRouters: ReadonlyMap<string, Pick<RemoteMafaldaRouter, 'closedByServer'>>;
  /** Returns the MafaldaRouters that the server holds; undefined if nobody follows them. */
  toldRooms: () => ToldRooms | undefined;
}

export class MirrorUpdates {
  readonly #mirrors: Mirrors;
  readonly #mafaldaRouters: MirrorUpdatesOptions['mafaldaRouters'];
  readonly #toldRooms: MirrorUpdatesOptions['toldRooms'];

  constructor({ mirrors, mafaldaRouters, toldRooms }: MirrorUpdatesOptions) {
    this.#mirrors = mirrors;
    this.#mafaldaRouters = mafaldaRouters;
    this.#toldRooms = toldRooms;
  }

  /**
   * @param bytes of the message
   * @returns steps that have to be taken before the next message: the ends of what may be many objects
   * @throws {Error} here, or in the first step, for a message that can't be true, or beyond the limits
   */
  apply(
    message: Exclude<ServerMessage, { type: 'answer' | 'failure' }>,
    bytes: number,
  ): Iterator<void, void> | undefined | void {
    switch (message.type) {
      case 'add':
        return this.#mirrors.add(message.mafaldaRouter, message.addition, bytes);
      case 'list':
        return this.#mirrors.learn(message.slot, message.list, bytes);
      case 'event':
        return this.#onEvent(message, bytes);
      case 'change':
        return this.#mirrors.change(message.handle, message.changes, bytes);
      case 'close':
        return this.#mirrors.close(message.handle, message.cause);
      case 'forget':
        return this.#mirrors.forget(message.handle);
      case 'disown':
        return this.#mirrors.disown(message.handles);
      case 'closeMafaldaRouter':
        return this.#mafaldaRouters.get(message.mafaldaRouter)?.closedByServer();
      case 'heldRooms':
        return this.#toldRooms()?.list(message.ids, message.isFirst, message.isLast);
      case 'held':
        return this.#toldRooms()?.held(message.ids);
      case 'released':
        return this.#toldRooms()?.released(message.ids);
      default:
        return message satisfies never;
    }
  }

  #onEvent({ handle, name, args, changes }: Extract<ServerMessage, { type: 'event' }>, bytes: number): void {
    let decoded: unknown[];
    try {
      decoded = args.map(arg => this.#decodeArgument(arg));
    } catch (error) {
      // An event may refer to an object that has been closed here while the message was on its way.
      return log.warn('%s: %o', name, error);
    }
    this.#mirrors.event(handle, name, decoded, changes, bytes);
  }

  /**
   * Decodes arguments without the elements of lists, such as `volumes`, that refer to objects closed in the meantime.
   */
  #decodeArgument(arg: unknown): unknown {
    const objectOf = (handle: number): object | undefined => this.#mirrors.objectOf(handle);
    if (!Array.isArray(arg) || arg.length === 0) return decode(arg, objectOf);
    const decoded = arg.flatMap(element => {
      try {
        return [decode(element, objectOf)];
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error;
        return [];
      }
    });
    if (decoded.length === 0) throw new NotFoundError('all of which this tells has been closed');
    return decoded;
  }
}
