/**
 * Three organisations, three processes, one call, and no centre: any of them may die.
 * Ends by itself; with an exit code other than 0 if something did not go as it says.
 */
import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FromPeer, PeerSetup, ToPeer } from './peer.ts';

const TIMEOUT_MS = 120_000;
/** Messages that everybody hears before something happens. */
const ENOUGH = 50;
const COUNT_INTERVAL_MS = 200;

/** All of 127.0.0.0/8 is this machine: each peer gets an address of its own, as if it were on one of its own. */
const ORGANISATIONS = { Ada: '127.0.6.1', Bertha: '127.0.6.2', Clara: '127.0.6.3' };
type Name = keyof typeof ORGANISATIONS;

const key = randomBytes(32).toString('base64');
const peers = new Map<Name, Peer>();

class Peer {
  readonly name: Name;
  readonly process: ChildProcess;
  bootstrap = '';
  dataProducerId = '';

  static async start(name: Name, bootstrap: string[]): Promise<Peer> {
    const setup: PeerSetup = { name, address: ORGANISATIONS[name], bootstrap };
    const peer = new Peer(name, setup);
    const ready = await peer.told('ready');
    peer.bootstrap = ready.bootstrap;
    peer.dataProducerId = ready.dataProducerId;
    peers.set(name, peer);
    // The organisations' applications tell each other who speaks, as they would do it anyway.
    for (const other of peers.values()) {
      if (other === peer) continue;
      peer.tell({ type: 'listen', to: other.name, dataProducerId: other.dataProducerId });
      other.tell({ type: 'listen', to: name, dataProducerId: peer.dataProducerId });
    }
    return peer;
  }

  private constructor(name: Name, setup: PeerSetup) {
    this.name = name;
    this.process = fork(fileURLToPath(new URL('peer.ts', import.meta.url)), [JSON.stringify(setup)], {
      execArgv: ['--import', 'tsx'],
      // Not among the arguments, which everybody on the machine can read.
      env: { ...process.env, SWARM_KEY: key },
    });
    this.process.on('message', (message: FromPeer) => {
      if (message.type === 'detoured') console.log(`  ${name} asks for another way to hear ${message.of}`);
    });
  }

  tell(message: ToPeer): void {
    this.process.send(message);
  }

  /** Resolves with the next message of a type. */
  told<T extends FromPeer['type']>(type: T, of?: string): Promise<Extract<FromPeer, { type: T }>> {
    return new Promise(resolve => {
      const onMessage = (message: FromPeer): void => {
        if (message.type !== type || (of !== undefined && (!('of' in message) || message.of !== of))) return;
        this.process.off('message', onMessage);
        resolve(message as Extract<FromPeer, { type: T }>);
      };
      this.process.on('message', onMessage);
    });
  }

  /**
   * Resolves when it has heard enough more of another peer, and something has happened.
   * @returns how many messages it has missed in that time
   */
  async hears(of: Name, happening: Promise<unknown> = Promise.resolve()): Promise<number> {
    let hasHappened = false;
    void happening.then(() => (hasHappened = true));
    let first: Extract<FromPeer, { type: 'heard' }> | undefined;
    for (;;) {
      const counted = this.told('heard', of);
      this.tell({ type: 'count' });
      // A peer that does not hear the other one yet, or asks for it again, has nothing to tell.
      const asking = setInterval(() => this.tell({ type: 'count' }), COUNT_INTERVAL_MS);
      const heard = await counted;
      clearInterval(asking);
      first ??= heard;
      if (hasHappened && heard.messages >= first.messages + ENOUGH) return heard.lost - first.lost;
      await new Promise(resolve => setTimeout(resolve, COUNT_INTERVAL_MS));
    }
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    peers.delete(this.name);
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = once(this.process, 'exit');
    this.process.kill(signal);
    await gone;
  }
}

async function everybodyHearsEverybody(): Promise<void> {
  for (const peer of peers.values()) {
    for (const other of peers.values()) {
      if (other === peer) continue;
      const lost = await peer.hears(other.name);
      console.log(`  ${peer.name} hears ${other.name}: ${lost} of the last ${ENOUGH} and more messages are missing`);
      assert.equal(lost, 0);
    }
  }
}

/** Kills a peer, and starts it again with nothing but the address of another one. */
async function killAndReturn(name: Name): Promise<void> {
  const others = [...peers.values()].filter(peer => peer.name !== name) as [Peer, Peer];
  const [one, other] = others;
  console.log(`${name} is killed.`);
  const noticed = Promise.all(others.map(peer => peer.told('gone', name)));
  const unharmed = Promise.all([one.hears(other.name, noticed), other.hears(one.name, noticed)]);
  await peers.get(name)!.end('SIGKILL');
  for (const { afterMs } of await noticed)
    console.log(`  its stream has ended ${(afterMs / 1000).toFixed(1)} s after its last message`);
  const missing = await unharmed;
  console.log(`  ${one.name} and ${other.name} have missed ${missing.join(' and ')} messages of each other`);
  assert.deepEqual(missing, [0, 0]);

  console.log(`${name} starts again, and knows ${other.name}’s address only.`);
  await Peer.start(name, [other.bootstrap]);
  await everybodyHearsEverybody();
}

const timeout = setTimeout(() => {
  console.error(`not done after ${TIMEOUT_MS} ms`);
  for (const { process: child } of peers.values()) child.kill('SIGKILL');
  process.exit(1);
}, TIMEOUT_MS);
try {
  const ada = await Peer.start('Ada', []);
  console.log('Ada is the first: she knows nobody.');
  const bertha = await Peer.start('Bertha', [ada.bootstrap]);
  console.log('Bertha knows Ada’s address, and Clara knows Bertha’s.');
  await Peer.start('Clara', [bertha.bootstrap]);
  await everybodyHearsEverybody();

  for (const name of Object.keys(ORGANISATIONS) as Name[]) await killAndReturn(name);
} finally {
  clearTimeout(timeout);
  await Promise.all([...peers.values()].map(peer => peer.end('SIGTERM')));
}
