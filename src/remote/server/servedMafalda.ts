/** The Mafalda that a server serves, and those of its MafaldaRouters that clients are attached to. */
import type { MafaldaApi, MafaldaRouterOptions, PipeableMafaldaRouter } from '../../shared/types.ts';
import { logger } from '../../shared/logger.ts';
import { Exports } from './exports.ts';
import { MafaldaRouterExport, type Audience } from './mafaldaRouterExport.ts';

const log = logger('server');

/** Programs and files of this machine: not for a caller at another one to choose. */
const LOCAL_SETTINGS = ['workerBin', 'dtlsCertificateFile', 'dtlsPrivateKeyFile'] as const;

export class ServedMafalda {
  readonly mafalda: MafaldaApi;
  readonly exports: Exports;
  readonly #attached = new Map<string, MafaldaRouterExport>();
  /** Made for clients, rather than by an application in this process. */
  readonly #ours = new WeakSet<PipeableMafaldaRouter>();

  constructor(mafalda: MafaldaApi, serverId: string) {
    this.mafalda = mafalda;
    this.exports = new Exports(serverId);
  }

  /** How many MafaldaRouters have clients. */
  get attached(): number {
    return this.#attached.size;
  }

  attach(member: Audience, options: MafaldaRouterOptions): MafaldaRouterExport {
    for (const name of LOCAL_SETTINGS) {
      if (options?.workerSettings?.[name] !== undefined) throw new TypeError(`workerSettings.${name} can't be chosen from outside`);
    }
    const isOurs = options?.id === undefined || !this.mafalda.mafaldaRouters.has(options.id);
    const mafaldaRouter = this.mafalda.createMafaldaRouter(options) as PipeableMafaldaRouter;
    if (isOurs) this.#ours.add(mafaldaRouter);
    const attached = this.#attached.get(mafaldaRouter.id) ?? this.#export(mafaldaRouter);
    attached.attach(member);
    return attached;
  }

  /** What nobody is attached to any longer is closed: nobody else would ever do it. */
  detach(member: Audience, attached: MafaldaRouterExport): void {
    attached.detach(member);
    if (attached.audience > 0) return;
    if (!this.#ours.has(attached.mafaldaRouter)) {
      this.#attached.delete(attached.mafaldaRouter.id);
      attached.close();
      return;
    }
    attached.mafaldaRouter.leave().catch(error => log('leaving MafaldaRouter %s: %o', attached.mafaldaRouter.id, error));
  }

  #export(mafaldaRouter: PipeableMafaldaRouter): MafaldaRouterExport {
    const attached = new MafaldaRouterExport(mafaldaRouter, this.exports);
    this.#attached.set(mafaldaRouter.id, attached);
    mafaldaRouter.once('close', () => {
      if (this.#attached.get(mafaldaRouter.id) !== attached) return;
      this.#attached.delete(mafaldaRouter.id);
      attached.tellClosed();
      attached.close();
    });
    return attached;
  }
}
