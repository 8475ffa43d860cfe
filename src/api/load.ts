/** Load of a Worker: placement decides by it, and operators watch it. */
export interface WorkerLoad {
  /** Id of the Worker, as in the `workers` Map. */
  id: string;
  /** CPU that the Worker uses, in percent of one core. */
  cpu: number;
  /** Number of its Routers. */
  routers: number;
  /** Number of its Transports, including the ends of links. */
  transports: number;
  /** Number of its Producers, including copies that pipes have made. */
  producers: number;
  /** Number of its Consumers, including those of pipes. */
  consumers: number;
  /** Number of its DataProducers, including copies that pipes have made. */
  dataProducers: number;
  /** Number of its DataConsumers, including those of pipes. */
  dataConsumers: number;
}

/** Load of a machine with Workers. */
export interface HostLoad {
  /** Number of CPU cores; in a container or a service with a share of CPU, those that it gives. */
  cores: number;
  /** CPU use of all processes on the machine, in percent of all cores. */
  cpu: number;
  /** Memory, in bytes; in a container or a service with a limit, what it gives. */
  memory: { total: number; free: number };
  /**
   * Bytes since the machine was started, on all interfaces but loopback. Undefined on systems without these counters.
   */
  network?: { received: number; sent: number };
}

/** Load of a Mafalda in detail. */
export interface LoadReport {
  /** Load of the Workers, in percent of all cores: measured, plus objects that are on their way. */
  load: number;
  /** Load of each Worker. */
  workers: WorkerLoad[];
  /** Load of each machine. */
  hosts: HostLoad[];
  /** Whether the server that reports is being drained by its operator; default: false. */
  draining?: boolean;
}
