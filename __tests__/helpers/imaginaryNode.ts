/** A node that exists only for placement: it tells its load, whether it is there, and what a server says of itself. */
import { version } from 'mediasoup';
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { NodeEvents } from '../../src/horizontal/clusterNode.ts';
import type { MafaldaApi } from '../../src/index.ts';

export class ImaginaryNode extends EnhancedEventEmitter<NodeEvents> {
  readonly url: string;
  readonly mediasoup = { version };
  readonly loadReport = { hosts: [{ cores: 2 }] };
  /** Undefined for one of this process, which does not report. */
  readyState: number | undefined = 0;
  serverId: string | undefined;
  load = 0;

  constructor(url: string) {
    super();
    this.url = url;
  }

  /** As a pool sees it, which asks it for nothing else than it has. */
  get mafalda(): MafaldaApi {
    return this as unknown as MafaldaApi;
  }

  connect(serverId: string): this {
    this.serverId = serverId;
    this.readyState = 4;
    this.emit('connected');
    return this;
  }

  report(load: number): void {
    this.load = load;
    this.emit('load', load);
  }
}
