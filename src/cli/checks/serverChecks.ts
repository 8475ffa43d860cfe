/** Checks of servers over the network, and of the way between two of them. */
import { version } from 'mediasoup';
import { probe } from '../../horizontal/reachability/probe.ts';
import type { RemoteMafaldaClient } from '../../remote/index.ts';
import { expiryOf } from '../advice.ts';
import { DEFAULT_TIMEOUT_MS, withClient } from '../connect.ts';
import type { clientSettings } from '../settings/clientSettings.ts';
import type { Values } from '../settings/setting.ts';
import { askHealth, type Health } from './askHealth.ts';
import { ok, problem, warning, type Check, type Finding } from './check.ts';

type ClientValues = Values<typeof clientSettings>;

/** Calls by which the round trip is measured. */
const SAMPLES = 5;
/** Round trip from which on joins take noticeably longer, in ms. */
const LONG_ROUND_TRIP_MS = 100;
/** Difference of clocks from which on logs can't be laid beside each other, in ms. */
const MAX_CLOCK_DIFFERENCE_MS = 2000;
const PROBE_TIMEOUT_MS = 10_000;

export function serverChecks(url: string, values: ClientValues): Check[] {
  const withIt = (look: (client: RemoteMafaldaClient) => Finding | Promise<Finding>): Promise<Finding> =>
    withClient(url, values, async client => look(client));
  const { ca, cert, key, timeout = DEFAULT_TIMEOUT_MS } = values;
  const health = (): Promise<Health> => askHealth(url, { ca, cert, key, timeout });
  const isSecure = /^(wss|https):/.test(url);
  return [
    { name: `${url}: connection and token`, run: () => withIt(() => ok('lets this client in')) },
    { name: `${url}: versions`, run: () => withIt(client => compareVersions(client.mediasoup.version)) },
    { name: `${url}: state`, run: () => withIt(stateOf) },
    { name: `${url}: round trip`, run: () => withIt(measureRoundTrip) },
    { name: `${url}: clock`, run: async () => compareClocks(await health()) },
    ...(isSecure ? [{ name: `${url}: certificate`, run: async () => checkDates(await health()) }] : []),
  ];
}

/** Checks of the way between each two servers, over which pipes carry media. */
export function pairChecks(urls: readonly string[], values: ClientValues): Check[] {
  const pairs = urls.flatMap((one, index) => urls.slice(index + 1).map(other => [one, other] as const));
  return pairs.map(([one, other]) => ({
    name: `${one} and ${other}: pipes`,
    run: () =>
      withClient(one, values, near =>
        withClient(other, values, async far => {
          const isThrough = await probe([near, far], AbortSignal.timeout(PROBE_TIMEOUT_MS));
          return isThrough
            ? ok('UDP gets through in both directions')
            : problem(
                'no UDP gets through: the firewalls of both have to let each other’s pipes in, and both have to announce addresses that the other one reaches',
              );
        }),
      ),
  }));
}

function compareVersions(theirs: string): Finding {
  const [own, other] = [version, theirs].map(text => text.split('.')[0]);
  if (own !== other) return problem(`mediasoup ${theirs} there, ${version} here: these don’t work together`);
  return theirs === version ? ok(`mediasoup ${theirs}`) : ok(`mediasoup ${theirs} there, ${version} here`);
}

function stateOf(client: RemoteMafaldaClient): Finding {
  const { load, workers } = client.loadReport;
  const text = `load ${Math.round(load)} %, ${workers.length} Workers`;
  return client.draining ? warning(`is being drained; ${text}`) : ok(text);
}

async function measureRoundTrip(client: RemoteMafaldaClient): Promise<Finding> {
  const durations: number[] = [];
  for (let sample = 0; sample < SAMPLES; ++sample) {
    const startedAt = performance.now();
    await client.listMafaldaRouters();
    durations.push(performance.now() - startedAt);
  }
  const median = durations.sort((a, b) => a - b)[Math.floor(SAMPLES / 2)]!;
  const text = `${median.toFixed(1)} ms`;
  return median > LONG_ROUND_TRIP_MS ? warning(`${text}: each join waits for several of them`) : ok(text);
}

/** Compares clocks by the date of an answer over HTTP. */
function compareClocks({ date }: Health): Finding {
  if (date === undefined) return warning('is not told by the server');
  // The date has whole seconds.
  const difference = Date.parse(date) + 500 - Date.now();
  const text = `differs by ${(Math.abs(difference) / 1000).toFixed(1)} s from the one here, to half a second`;
  return Math.abs(difference) > MAX_CLOCK_DIFFERENCE_MS ? warning(text) : ok(text);
}

/** Looks at the dates of a certificate, which the connection has found valid at present. */
function checkDates({ certificate }: Health): Finding {
  if (!certificate) return warning('is not shown by the server');
  const expiry = expiryOf(certificate.toString());
  return expiry === undefined ? ok(`is valid until ${certificate.validTo}`) : warning(expiry);
}
