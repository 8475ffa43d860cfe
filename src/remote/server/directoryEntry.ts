/** What a server writes of itself in a directory: its record, and which MafaldaRouters are open there, whoever uses them. */
import type { Directory, NodeRecord, Registration } from '../../horizontal/directory/directory.ts';
import type { MafaldaApi, MafaldaRouter } from '../../api/types.ts';

export class DirectoryEntry {
  readonly #mafalda: MafaldaApi;
  readonly #registration: Registration;
  /** Listeners of the MafaldaRouters that are open. */
  readonly #open = new Map<MafaldaRouter, () => void>();
  readonly #onNew = (mafaldaRouter: MafaldaRouter): void => this.#hold(mafaldaRouter);

  /** @throws {Error} as `register()` of the directory */
  constructor(mafalda: MafaldaApi, directory: Directory, record: NodeRecord) {
    this.#mafalda = mafalda;
    this.#registration = directory.register(record);
    for (const mafaldaRouter of mafalda.mafaldaRouters.values()) this.#hold(mafaldaRouter);
    mafalda.on('newmafaldarouter', this.#onNew);
  }

  /** Notes the present load, in percent of the node, or whether the server is being drained. */
  update(change: Partial<Pick<NodeRecord, 'load' | 'draining'>>): void {
    this.#registration.update(change);
  }

  /** Takes everything back. */
  async close(): Promise<void> {
    this.#mafalda.off('newmafaldarouter', this.#onNew);
    for (const [mafaldaRouter, onClose] of this.#open) mafaldaRouter.off('close', onClose);
    this.#open.clear();
    await this.#registration.close();
  }

  #hold(mafaldaRouter: MafaldaRouter): void {
    const { id } = mafaldaRouter;
    const onClose = (): void => {
      this.#open.delete(mafaldaRouter);
      this.#registration.release(id);
    };
    this.#open.set(mafaldaRouter, onClose);
    this.#registration.hold(id);
    mafaldaRouter.once('close', onClose);
  }
}
