/** Registration of all metrics of a subject with prom-client. */
import { Registry } from 'prom-client';
import type { MafaldaApi } from '../api/types.ts';
import { autoscalerMetrics, type MeasuredAutoscaler } from './autoscalerMetrics.ts';
import { register } from './definition.ts';
import { controllerMetrics, machineMetrics, measured } from './mafaldaMetrics.ts';
import { processMetrics } from './processMetrics.ts';
import { registerCalls, serverMetrics, type MeasuredServer } from './serverMetrics.ts';

/**
 * Adds the metrics of a Mafalda, of a server and what it serves, or of an Autoscaler, to a registry of prom-client's,
 * beside the application's own metrics. They are read when they are asked for.
 *
 * @example
 * import { register } from 'prom-client';
 * import { registerMetrics } from 'mafalda-horizontal/metrics';
 *
 * registerMetrics(register, mafaldaHorizontal);
 * app.get('/metrics', async (_request, response) => {
 *   response.type(register.contentType).send(await register.metrics());
 * });
 *
 * @throws {Error} if the registry has metrics of these names already: a registry takes one subject of each kind
 */
export function registerMetrics(registry: Registry, subject: MafaldaApi | MeasuredServer | MeasuredAutoscaler): void {
  if ('wanted' in subject) return register(registry, subject, autoscalerMetrics);
  const mafalda = 'mafalda' in subject ? subject.mafalda : subject;
  register(registry, { mediasoupVersion: () => versionOf(mafalda) }, processMetrics);
  // A Mafalda that can be iterated has nodes.
  register(registry, measured(mafalda), Symbol.iterator in mafalda ? controllerMetrics : machineMetrics);
  if (!('mafalda' in subject)) return;
  register(registry, subject, serverMetrics);
  registerCalls(registry, subject);
}

/** Returns a registry with the metrics of a server, and nothing else. */
export function newRegistry(server: MeasuredServer): Registry {
  const registry = new Registry();
  registerMetrics(registry, server);
  return registry;
}

/** Returns the version of mediasoup; a remote one is not known before its server has answered. */
function versionOf({ mediasoup }: MafaldaApi): string {
  try {
    return mediasoup.version;
  } catch {
    return 'unknown';
  }
}
