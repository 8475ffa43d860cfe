/** Metrics for Prometheus, in a registry of the application's. */
export { registerMetrics } from './registerMetrics.ts';
export type { MeasuredAutoscaler } from './autoscalerMetrics.ts';
export type { MeasuredServer } from './serverMetrics.ts';
export type * from '../api/statistics.ts';
