/** Machines of one network that don't exist: network namespaces, each with an address of its own, joined by a switch. */
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

const run = promisify(execFile);

const PREFIX = 'mafalda';
const INTERFACE = 'eth0';
const BRIDGE = 'bridge';
/** Joins the hosts that are split off. */
const FAR_BRIDGE = 'far';
/** The hardware address of no host, the address of a router with it, and the table of what is sent there. */
const NOBODY = '02:00:00:00:00:99';
const NOWHERE = '10.77.0.254';
const NOWHERE_TABLE = '100';

let nextNetwork = 0;

/** Why there can be none here; undefined if there can. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces exist on Linux only';
  if (process.getuid?.() !== 0) return 'network namespaces are for root to make';
  const probe = `${PREFIX}-${process.pid}-probe`;
  try {
    execFileSync('ip', ['netns', 'add', probe], { stdio: 'pipe' });
    execFileSync('ip', ['netns', 'del', probe], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT'
      ? 'there is no command `ip` (iproute2)'
      : `network namespaces can't be made: ${message.trim()}`;
  }
}

/** What has passed the network card of a host since it was made. */
export interface Traffic {
  /** Packets of any kind, in both directions. */
  packets: number;
  /** Datagrams that its sockets have got, or for which it had no socket; and those that they have sent. */
  udpIn: number;
  udpOut: number;
}

export class Network {
  readonly #prefix = `${PREFIX}-${process.pid}-${nextNetwork++}`;
  readonly #hosts: readonly string[];
  readonly #children = new Set<ChildProcess>();
  /** Commands that end the cuts for UDP. */
  readonly #rules: string[][] = [];

  /** @param hosts their names */
  static async create(hosts: readonly string[]): Promise<Network> {
    await removeOrphans();
    const network = new Network(hosts);
    try {
      await network.#build();
    } catch (error) {
      await network.close();
      throw error;
    }
    return network;
  }

  private constructor(hosts: readonly string[]) {
    this.#hosts = hosts;
  }

  addressOf(host: string): string {
    return `10.77.0.${this.#hosts.indexOf(host) + 1}`;
  }

  /** Runs a script as a process of a host. It gets `setup` as its argument. @returns it, and what it says first */
  async start<Said>(host: string, script: string, setup: object): Promise<{ child: ChildProcess; said: Said }> {
    const command = [process.execPath, '--import', 'tsx', script, JSON.stringify(setup)];
    const child = spawn('ip', ['netns', 'exec', this.#namespace(host), ...command], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    const ended = once(child, 'exit').then((): never => {
      throw new Error(`${script} on ${host} ended before it said anything`);
    });
    const [said] = (await Promise.race([once(child, 'message'), ended])) as [Said];
    ended.catch(() => undefined);
    return { child, said };
  }

  async trafficOf(host: string): Promise<Traffic> {
    const namespace = this.#namespace(host);
    const [links, snmp] = await Promise.all([
      run('ip', ['-n', namespace, '-s', '-j', 'link', 'show', 'dev', INTERFACE]),
      run('ip', ['netns', 'exec', namespace, 'cat', '/proc/net/snmp']),
    ]);
    const [
      {
        stats64: { rx, tx },
      },
    ] = JSON.parse(links.stdout) as [{ stats64: Record<'rx' | 'tx', { packets: number }> }];
    const udp = udpCounters(snmp.stdout);
    return {
      packets: rx.packets + tx.packets,
      udpIn: udp['InDatagrams']! + udp['NoPorts']! + udp['InErrors']!,
      udpOut: udp['OutDatagrams']!,
    };
  }

  /** Pulls the plug of a host, or puts it in again. */
  async plug(host: string, state: 'in' | 'out'): Promise<void> {
    await ip(['-n', this.#switch, 'link', 'set', this.#portOf(host), state === 'in' ? 'up' : 'down']);
  }

  /** Cuts the network in two: these hosts reach each other, and the others each other. */
  async split(hosts: readonly string[]): Promise<void> {
    await this.#move(hosts, FAR_BRIDGE);
  }

  /** Cuts the network in two for UDP: TCP, and so all that peers say to each other's servers, goes on. */
  async splitUdp(hosts: readonly string[]): Promise<void> {
    const others = this.#hosts.filter(host => !hosts.includes(host));
    const pairs = hosts.flatMap(host => others.map(other => [host, other] as const));
    for (const host of this.#hosts) {
      const namespace = this.#namespace(host);
      const device = ['dev', INTERFACE];
      await ip(['-n', namespace, 'neighbour', 'replace', NOWHERE, ...device, 'lladdr', NOBODY, 'nud', 'permanent']);
      await ip(['-n', namespace, 'route', 'replace', 'default', 'via', NOWHERE, ...device, 'table', NOWHERE_TABLE]);
    }
    for (const [host, other] of [...pairs, ...pairs.map(([one, two]) => [two, one] as const)]) {
      const rule = ['to', this.addressOf(other), 'ipproto', 'udp', 'lookup', NOWHERE_TABLE];
      await ip(['-n', this.#namespace(host), 'rule', 'add', ...rule]);
      this.#rules.push(['-n', this.#namespace(host), 'rule', 'del', ...rule]);
    }
  }

  /** Makes the network whole again. */
  async heal(): Promise<void> {
    await this.#move(this.#hosts, BRIDGE);
    for (const rule of this.#rules.splice(0)) await ip(rule);
  }

  /** Nothing that one host sends arrives at the other, or it does again: as where a switch has learnt a wrong address. */
  async way(from: string, to: string, state: 'open' | 'cut'): Promise<void> {
    const [namespace, neighbour] = [this.#namespace(from), [this.addressOf(to), 'dev', INTERFACE]];
    if (state === 'cut')
      await ip(['-n', namespace, 'neighbour', 'replace', ...neighbour, 'lladdr', NOBODY, 'nud', 'permanent']);
    else await ip(['-n', namespace, 'neighbour', 'del', ...neighbour]);
  }

  /** The same in both directions. */
  async ways(one: string, other: string, state: 'open' | 'cut'): Promise<void> {
    await this.way(one, other, state);
    await this.way(other, one, state);
  }

  /** Kills what runs there. */
  async close(): Promise<void> {
    for (const child of this.#children) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    for (const namespace of (await listNamespaces()).filter(name => name.startsWith(`${this.#prefix}-`)))
      await ip(['netns', 'del', namespace]);
  }

  get #switch(): string {
    return this.#namespace('switch');
  }

  #namespace(host: string): string {
    return `${this.#prefix}-${host}`;
  }

  #portOf(host: string): string {
    return `port${this.#hosts.indexOf(host)}`;
  }

  async #move(hosts: readonly string[], bridge: string): Promise<void> {
    for (const host of hosts) await ip(['-n', this.#switch, 'link', 'set', this.#portOf(host), 'master', bridge]);
  }

  async #build(): Promise<void> {
    await ip(['netns', 'add', this.#switch]);
    for (const bridge of [BRIDGE, FAR_BRIDGE]) {
      await ip(['-n', this.#switch, 'link', 'add', bridge, 'type', 'bridge']);
      await ip(['-n', this.#switch, 'link', 'set', bridge, 'up']);
    }
    for (const host of this.#hosts) {
      const namespace = this.#namespace(host);
      const port = this.#portOf(host);
      await ip(['netns', 'add', namespace]);
      await ip([
        '-n',
        namespace,
        'link',
        'add',
        INTERFACE,
        'type',
        'veth',
        'peer',
        'name',
        port,
        'netns',
        this.#switch,
      ]);
      await ip(['-n', this.#switch, 'link', 'set', port, 'master', BRIDGE, 'up']);
      await ip(['-n', namespace, 'address', 'add', `${this.addressOf(host)}/24`, 'dev', INTERFACE]);
      await ip(['-n', namespace, 'link', 'set', INTERFACE, 'up']);
      await ip(['-n', namespace, 'link', 'set', 'lo', 'up']);
    }
  }
}

async function ip(args: string[]): Promise<void> {
  await run('ip', args);
}

async function listNamespaces(): Promise<string[]> {
  const { stdout } = await run('ip', ['netns', 'list']);
  return stdout.split('\n').map(line => line.split(' ')[0]!);
}

/** A test that was killed could not remove its own. */
async function removeOrphans(): Promise<void> {
  for (const namespace of await listNamespaces()) {
    const [, pid] = new RegExp(`^${PREFIX}-(\\d+)-`).exec(namespace) ?? [];
    if (pid !== undefined && !isRunning(Number(pid))) await ip(['netns', 'del', namespace]);
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Names in one line, values in the next. */
function udpCounters(snmp: string): Record<string, number> {
  const [names, values] = snmp
    .split('\n')
    .filter(line => line.startsWith('Udp: '))
    .map(line => line.split(' ').slice(1));
  return Object.fromEntries(names!.map((name, index) => [name, Number(values![index])]));
}
