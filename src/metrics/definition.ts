/** Metrics as tables: name, meaning, labels, and how they are read when somebody asks. */
import { Counter, Gauge, type Registry } from 'prom-client';

/** Value of a metric, with its labels. */
export interface Sample {
  value: number;
  labels?: Readonly<Record<string, string>>;
}

/** Metric that is read off a source when it is asked for, and costs nothing until then. */
export interface Definition<Source> {
  readonly name: `mafalda_${string}`;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: (source: Source) => readonly Sample[] | Promise<readonly Sample[]>;
}

/** Adds the metrics of a source to a registry. */
export function register<Source>(
  registry: Registry,
  source: Source,
  definitions: readonly Definition<NoInfer<Source>>[],
): void {
  for (const { name, type, help, labels, read } of definitions) {
    const configuration = { name, help, labelNames: [...labels], registers: [registry] };
    if (type === 'gauge') {
      new Gauge({
        ...configuration,
        async collect() {
          const samples = await read(source);
          clear(this, labels, samples);
          for (const sample of samples) this.set({ ...sample.labels }, sample.value);
        },
      });
    } else {
      new Counter({
        ...configuration,
        async collect() {
          const samples = await read(source);
          clear(this, labels, samples);
          for (const sample of samples) this.inc({ ...sample.labels }, sample.value);
        },
      });
    }
  }
}

/** Clears a metric. prom-client gives one without labels the value 0 then, which is wrong where there is no value. */
function clear(metric: Gauge | Counter, labels: readonly string[], samples: readonly Sample[]): void {
  metric.reset();
  if (samples.length === 0 && labels.length === 0) metric.remove();
}

/** Returns a sample for each entry of a record. */
export function samplesOf(label: string, values: Readonly<Partial<Record<string, number>>>): Sample[] {
  return Object.entries(values).map(([name, value = 0]) => ({ value, labels: { [label]: name } }));
}

/** Returns a sample for each of the names, so that a count that is 0 is a value too. */
export function countsOf<Name extends string>(label: string, names: readonly Name[], nameOf: Iterable<Name>): Sample[] {
  const counts = Object.fromEntries(names.map(name => [name, 0])) as Record<Name, number>;
  for (const name of nameOf) counts[name] = (counts[name] ?? 0) + 1;
  return samplesOf(label, counts);
}
