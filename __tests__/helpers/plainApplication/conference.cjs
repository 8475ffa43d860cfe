/**
 * A small conference server, of the shape that tutorials have, written for plain mediasoup: it knows nothing of this package. Rooms have a Router
 * for those who send and one for those who watch, on the next Workers in turn. It is spoken to by HTTP, and says where once it is ready.
 */
const http = require('node:http');

const mediaCodecs = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
];
const WORKERS = 2;

module.exports = async function startConference(mediasoup) {
  let told = 0;
  mediasoup.observer.on('newworker', () => ++told);
  const workers = [];
  for (let index = 0; index < WORKERS; ++index) {
    const worker = await mediasoup.createWorker({
      logLevel: 'warn',
      rtcMinPort: 40000,
      rtcMaxPort: 49999,
      appData: { index },
    });
    worker.on('died', () => process.exit(1));
    workers.push(worker);
  }
  const rooms = new Map();
  const transports = new Map();
  let nextWorker = 0;
  const createRouter = () => workers[nextWorker++ % workers.length].createRouter({ mediaCodecs });
  const listenInfo = { protocol: 'udp', ip: '127.0.0.1' };

  const methods = {
    async createRoom({ name }) {
      rooms.set(name, { stage: await createRouter(), audience: await createRouter() });
      return {};
    },
    async send({ name, kind, rtpParameters }) {
      const { stage, audience } = rooms.get(name);
      const transport = await stage.createPlainTransport({ listenInfo, rtcpMux: true, comedia: true });
      transports.set(transport.id, transport);
      const producer = await transport.produce({ kind, rtpParameters });
      await stage.pipeToRouter({ producerId: producer.id, router: audience });
      return { producerId: producer.id, port: transport.tuple.localPort };
    },
    async watch({ name, producerId, port }) {
      const { audience } = rooms.get(name);
      const { rtpCapabilities } = audience;
      if (!audience.canConsume({ producerId, rtpCapabilities })) throw new Error('can not consume');
      const transport = await audience.createPlainTransport({ listenInfo, rtcpMux: true });
      transports.set(transport.id, transport);
      await transport.connect({ ip: '127.0.0.1', port });
      const consumer = await transport.consume({ producerId, rtpCapabilities, paused: true });
      await consumer.resume();
      return { rtpParameters: consumer.rtpParameters };
    },
    async offerWebRtc({ name }) {
      const transport = await rooms
        .get(name)
        .stage.createWebRtcTransport({ listenIps: [{ ip: '127.0.0.1' }], enableUdp: true });
      transports.set(transport.id, transport);
      return { id: transport.id, iceCandidates: transport.iceCandidates, dtlsParameters: transport.dtlsParameters };
    },
    async refuse({ name }) {
      try {
        await [...transports.values()][0].consume({
          producerId: 'nobody',
          rtpCapabilities: rooms.get(name).stage.rtpCapabilities,
        });
      } catch (error) {
        return {
          isError: error instanceof Error,
          name: error.name,
          hasClasses: typeof mediasoup.errors.UnsupportedError === 'function',
        };
      }
    },
    async about() {
      return {
        told,
        pids: workers.map(({ pid }) => pid),
        version: mediasoup.version,
        spread: Object.keys({ ...mediasoup }),
        codecs: mediasoup.getSupportedRtpCapabilities().codecs.length,
      };
    },
    async exit() {
      process.exit(0);
    },
    async end() {
      for (const worker of workers) worker.close();
      server.close();
      return {};
    },
  };

  const server = http.createServer((request, response) => {
    let body = '';
    response.setHeader('connection', 'close');
    request.on('data', chunk => (body += chunk));
    request.on('end', async () => {
      try {
        const answer = await methods[request.url.slice(1)](JSON.parse(body));
        response.end(JSON.stringify(answer));
      } catch (error) {
        response.statusCode = 500;
        response.end(JSON.stringify({ name: error.name, message: error.message }));
      }
    });
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
};
