/**
 * Objects of ended sessions in MafaldaRouters that others use: their clients may come back, or never. They close after a
 * while, unless somebody uses them.
 */
import type { OrphanDump } from '../../api/dump.ts';
import type { MediasoupObject } from '../../api/types.ts';
import { logger } from '../../core/logger.ts';
import type { ExportedObject } from './exportedObject.ts';
import type { Holding } from './holding.ts';

const log = logger('server');

/** Objects in one MafaldaRouter of a client that went away without closing its session. */
export interface Orphans {
  /** Id of its session, which has ended. */
  readonly session: string;
  /** The client's `name`, if it has one. */
  readonly name: string | undefined;
  /** Time when the session was given up, in ms since 1970. */
  readonly since: number;
  /** Id of the MafaldaRouter that they are in. */
  readonly mafaldaRouter: string;
  /** Objects, each of which has a method `close()`. */
  readonly objects: readonly MediasoupObject[];
}

interface Entry {
  readonly since: number;
  readonly timer: NodeJS.Timeout;
}

export class OrphanRegistry {
  readonly #timeoutMs: number;
  readonly #holdings = new Map<Holding, Entry>();

  /** @param timeoutMs time after which orphans close */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Keeps the objects of an ended session, until they are closed, or the time is over. */
  add(holding: Holding): void {
    holding.seal();
    if (holding.size === 0) return;
    const timer = setTimeout(() => this.#expire(holding), this.#timeoutMs).unref();
    this.#holdings.set(holding, { since: Date.now(), timer });
    holding.onEmpty = () => this.#remove(holding);
  }

  has({ holding }: ExportedObject): boolean {
    return holding !== undefined && this.#holdings.has(holding);
  }

  /** Closes the orphans in the holdings that match. */
  async closeOf(matches: (holding: Holding) => boolean): Promise<void> {
    const matching = [...this.#holdings.keys()].filter(matches);
    for (const holding of matching) this.#remove(holding);
    await Promise.all(matching.map(holding => holding.close()));
  }

  list(): Orphans[] {
    return [...this.#holdings].map(([holding, { since }]) => {
      const {
        owner: { session, name },
        attached,
      } = holding;
      return {
        session,
        name,
        since,
        mafaldaRouter: attached.mafaldaRouter.id,
        objects: [...holding].map(({ node }) => node.object),
      };
    });
  }

  /** Returns the orphans of one MafaldaRouter as JSON. */
  dump(mafaldaRouterId: string): OrphanDump[] {
    const dumps: OrphanDump[] = [];
    for (const [holding, { since }] of this.#holdings) {
      const {
        owner: { session, name },
        attached,
      } = holding;
      if (attached.mafaldaRouter.id === mafaldaRouterId)
        dumps.push({ session, name, since, objects: [...holding].map(({ node }) => node.id) });
    }
    return dumps;
  }

  #expire(holding: Holding): void {
    const { owner, attached } = holding;
    log(
      'session %s (%s) has not come back: closing %d objects in %s',
      owner.session,
      owner.name,
      holding.size,
      attached.mafaldaRouter.id,
    );
    void this.closeOf(other => other === holding);
  }

  #remove(holding: Holding): void {
    clearTimeout(this.#holdings.get(holding)?.timer);
    this.#holdings.delete(holding);
  }
}
