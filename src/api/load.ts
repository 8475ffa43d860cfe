/** How busy a Mafalda is: what placement decides by, and what an operator wants to see. */
export interface WorkerLoad {
  id: string;
  /** Percent of one core. */
  cpu: number;
  routers: number;
  transports: number;
  producers: number;
  consumers: number;
  dataProducers: number;
  dataConsumers: number;
}

/** A machine with Workers. */
export interface HostLoad {
  cores: number;
  /** Percent of all cores, by whatever runs there. */
  cpu: number;
  /** In bytes. */
  memory: { total: number; free: number };
  /** Bytes since the machine was started, on all interfaces but loopback. Undefined where the system does not tell. */
  network?: { received: number; sent: number };
}

export interface LoadReport {
  /** Percent of all cores that the Workers take, and what is on its way. */
  load: number;
  workers: WorkerLoad[];
  hosts: HostLoad[];
}
