/** Texts of settings, from the docstrings of the options; generated: npm run docs:configuration */

/** Texts and defaults, by interface and option. */
export const descriptions: Readonly<Record<string, { readonly text: string; readonly fallback: string }>> = {
  'ProgramSettings.token': {
    text: 'Token that clients have to show; better in the variable, or in `tokenFile`, than in an argument, which all users of the machine can read. A module with settings may have a function instead, as the option `auth` of a RemoteMafaldaServer.',
    fallback: 'none: `tokenFile` or `open` has to be given',
  },
  'ProgramSettings.tokenFile': { text: 'File with the token.', fallback: 'none' },
  'ProgramSettings.open': { text: 'Lets in everybody who reaches the port, without a token.', fallback: 'false' },
  'ProgramSettings.drainDeadline': {
    text: 'Longest time that the program drains after a signal, before it closes what is left. Exit code 3 says that something was.',
    fallback: '10m',
  },
  'RemoteMafaldaServerOptions.port': {
    text: 'TCP port to listen on.',
    fallback: "a free port: see the server's `url`",
  },
  'RemoteMafaldaServerOptions.host': { text: 'Address to listen on.', fallback: 'all addresses of this machine' },
  'RemoteMafaldaServerOptions.path': {
    text: 'Path of the WebSocket; clients give it as the path of the URL.',
    fallback: "'/mafalda'",
  },
  'RemoteMafaldaServerOptions.cert': {
    text: 'Certificate, PEM: with it and `key` the server listens with TLS.',
    fallback: 'no TLS',
  },
  'RemoteMafaldaServerOptions.key': { text: 'Private key of `cert`, PEM.', fallback: 'no TLS' },
  'RemoteMafaldaServerOptions.ca': {
    text: 'Certificate authority, PEM: only clients with a certificate that it has signed are let in. Needs `cert` and `key`.',
    fallback: 'clients need no certificate',
  },
  'RemoteMafaldaServerOptions.metricsToken': {
    text: "Token for `/metrics` of this port (`Authorization: Bearer …`), and for the reasons of `/readyz`; other than the clients' token, since it may only look.",
    fallback: 'none: only this machine may see them',
  },
  'RemoteMafaldaServerOptions.origins': {
    text: "Origins of web pages that may connect, such as `https://example.com`. Browsers name the page's origin with each connection, controllers name none.",
    fallback: '[]',
  },
  'RemoteMafaldaServerOptions.maxPayload': {
    text: 'Largest message that a client may send, in bytes.',
    fallback: '1000000',
  },
  'RemoteMafaldaServerOptions.sessionTimeout': {
    text: 'Time that a session outlives its connection, in ms. Then the MafaldaRouters that only this client was attached to close, here and at the client.',
    fallback: '15000',
  },
  'RemoteMafaldaServerOptions.orphanTimeout': {
    text: "Time after the end of such a session, in ms, for which the client's objects stay in MafaldaRouters that others are attached to as well. Until then the server's `orphans` and `dump()` list them, and another client takes over a Transport, with what is in it, by calling a method of it.",
    fallback: '300000',
  },
  'RemoteMafaldaServerOptions.limits': {
    text: 'Limits of each client, and of all clients together.',
    fallback: 'the defaults of each limit',
  },
  'RemoteMafaldaServerOptions.workerSettings': {
    text: "Settings of clients' Workers. Clients can't change the settings that are given here.",
    fallback: "mediasoup's defaults",
  },
  'RemoteMafaldaServerOptions.clientWorkerSettings': {
    text: 'Names of the settings of their Workers that clients may choose; `[]` allows none. Each different choice takes Workers of its own, and so cores.',
    fallback: 'all settings that are not in `workerSettings`, except for paths on this machine',
  },
  'RemoteMafaldaServerOptions.plainTargets': {
    text: 'Addresses that PlainTransports, PipeTransports and pipes to other servers may send to; if it is given, other servers must be listed as well, and `comedia` is refused. WebRtcTransports send only to peers that agree to it.',
    fallback: 'any address',
  },
  'RemoteMafaldaServerOptions.loadInterval': {
    text: 'Interval of load reports to clients, in ms, from 100. A load that has changed by 3 percentage points is reported within 100 ms, and answers to calls carry the load as well.',
    fallback: '1000',
  },
  'RemoteMafaldaServerOptions.maxLoad': {
    text: 'Load of the Mafalda, in percent, beyond which nothing new is taken: calls that create Transports, RtpObservers or Workers fail with a `NodeFullError`, and a `MafaldaHorizontal` tries another server. Transports that are there go on, and can produce and consume. Counted is what the Workers use, and what has been admitted and does not show yet.',
    fallback: 'no limit',
  },
  'RemoteMafaldaServerOptions.fanOut': {
    text: 'Number of pipes of a stream that lead from here to other machines. Beyond it, a `MafaldaHorizontal` or a `MafaldaSwarm` that asks for the stream is sent on to one of the machines that have it by then; if these are full as well, the least used one serves it, up to four times this number. Only for a Mafalda with Workers of its own.',
    fallback: 'no limit',
  },
  'RemoteMafaldaServerOptions.watermarkFanOut': {
    text: 'Load of the Mafalda, in percent, from which on askers are sent on before there are `fanOut` pipes.',
    fallback: '66',
  },
  'RemoteMafaldaServerOptions.region': {
    text: 'Location of this machine, in words of your own, for placement.',
    fallback: 'undefined',
  },
  'RemoteMafaldaServerOptions.labels': {
    text: 'Further properties of this machine, for strategies of your own.',
    fallback: '{}',
  },
  'RemoteMafaldaServerOptions.publicUrl': {
    text: 'URL by which controllers reach the server, such as `wss://media-1.example:4443`. Needs `directory`.',
    fallback: 'none',
  },
  'MafaldaOptions.announcedAddress': {
    text: 'Address by which clients reach this machine, or a host name for its IPv4 address. Transports listen on all addresses of that family.',
    fallback: 'none: the caller of `createWebRtcTransport()` or `createPlainTransport()` has to give addresses',
  },
  'MafaldaOptions.listenInfos': {
    text: 'Listening addresses of WebRtcTransports and PlainTransports whose caller gives none, or gives a wildcard.',
    fallback: 'all addresses, with `announcedAddress`, if that is given; else none',
  },
  'MafaldaOptions.listenIps': {
    text: "Listening addresses in mediasoup's older form, instead of `listenInfos`.",
    fallback: 'none',
  },
  'MafaldaOptions.pipeListenInfo': {
    text: 'Listening address of pipes from and to other machines.',
    fallback:
      'the addresses of WebRtcTransports: the first of IPv4 and the first of IPv6, over UDP, without their ports',
  },
  'RedisSettings.redis': {
    text: 'URL of a Redis with a directory, such as `rediss://user:password@redis.example:6379`: there a media server says where it is, and a central server finds its nodes.',
    fallback: 'none',
  },
  'RedisDirectoryOptions.prefix': {
    text: "First part of the names of all keys and channels, of at most 100 characters: directories with different ones don't see each other.",
    fallback: "'mafalda'",
  },
  'MafaldaOptions.workerBudget': {
    text: 'Limit for the Workers of all processes of this machine. `false`: no common limit, for several simulated machines on a single machine.',
    fallback: 'as many Workers as cores, in a file that all processes share',
  },
  'MafaldaOptions.webRtcServerOptions': {
    text: 'Lets WebRtcTransports without addresses share the ports of a WebRtcServer. Each Worker has a WebRtcServer of its own, so with several Workers the listen infos need a `portRange` rather than a `port`.',
    fallback: 'none: each WebRtcTransport has ports of its own, at the addresses that the caller or the options give',
  },
  'MafaldaOptions.idlePipeTimeout': {
    text: 'Time after which an unused pipe closes, and then a link without pipes, in ms.',
    fallback: '2000',
  },
  'MediaSettings.mediaPorts': {
    text: 'Ports that all WebRtcTransports share, one of UDP and one of TCP for each Worker: short for `webRtcServerOptions`.',
    fallback: 'none: each WebRtcTransport has ports of its own',
  },
  'MediaSettings.pipePorts': {
    text: 'UDP ports of pipes from and to other servers: short for `pipeListenInfo`.',
    fallback: 'any ports of mediasoup’s range',
  },
  'MediaSettings.workers': {
    text: 'Number of Workers that all processes of this machine may have: short for `workerBudget`.',
    fallback: 'the number of cores',
  },
  'ClusterSettings.nodes': { text: 'URLs of the nodes.', fallback: 'those of the directory' },
  'ClusterSettings.strategy': {
    text: 'Name of the strategy that chooses the nodes for new objects: `concentrate`, `leastLoaded`, `twoChoices`, `regionFirst`. A module with settings may have a function instead.',
    fallback: 'concentrate',
  },
  'MafaldaHorizontalOptions.token': {
    text: "Token that the server's `auth` asks for; or a function of the server's URL that returns it, called at each attempt to connect. With a different token for each server, no server can use another in the client's name.",
    fallback: 'no token',
  },
  'MafaldaHorizontalOptions.path': { text: 'Path of the server, if its URL has none.', fallback: "'/mafalda'" },
  'MafaldaHorizontalOptions.ca': {
    text: 'Certificate authority, PEM, for servers whose certificate the system does not know. Certificates are always checked.',
    fallback: 'the authorities that Node.js knows',
  },
  'MafaldaHorizontalOptions.fingerprints': {
    text: 'SHA-256 fingerprints of certificates, `AB:CD:…` as `openssl x509 -fingerprint -sha256` shows them: a server of a `wss:` URL must have one of these certificates, and needs no authority. Or a function of the URL that returns them, called at each attempt to connect, or undefined where authorities decide.',
    fallback: 'authorities decide',
  },
  'MafaldaHorizontalOptions.cert': {
    text: 'Certificate of this client, PEM, for servers that ask for it.',
    fallback: 'no certificate',
  },
  'MafaldaHorizontalOptions.key': { text: 'Private key of `cert`, PEM.', fallback: 'no key' },
  'MafaldaHorizontalOptions.callTimeout': {
    text: 'Time limit of a call, in ms, including the time without a connection. A call beyond it rejects with a `CallTimeoutError`, or with a `NodeUnavailableError` or `RefusedError` if it was never sent.',
    fallback: '15000',
  },
  'MafaldaHorizontalOptions.name': {
    text: 'Name under which this client may come back, of at most 200 characters: when its application starts again, the server closes at once everything that the client had left there, its objects, and its own Workers with their ports. Of two clients with the same name, the last to come is served, and the other gets a `RefusedError`.',
    fallback: 'no name',
  },
  'MafaldaHorizontalOptions.limits': {
    text: 'Limits of what the server may cost this client: data that it sends, beyond which the session ends, and everything that came from the server closes; and calls that it does not answer.',
    fallback: 'the defaults of each limit',
  },
  'MafaldaHorizontalOptions.watermarkNode': {
    text: 'Load of a node, in percent, from which on it gets nothing new while another node has room.',
    fallback: '66',
  },
  'MafaldaHorizontalOptions.nodeTimeout': {
    text: "Silence after which the objects of a node close here, in ms. If others still get packets from the node, or no node is heard, it is marked as unreachable instead, and has its server's `sessionTimeout`. Applies to nodes that are given as URLs: a RemoteMafaldaClient that is given as a node has a `sessionTimeout` of its own.",
    fallback: '3000',
  },
  'RemoteMafaldaClientOptions.token': {
    text: "Token that the server's `auth` asks for; or a function of the server's URL that returns it, called at each attempt to connect. With a different token for each server, no server can use another in the client's name.",
    fallback: 'no token',
  },
  'RemoteMafaldaClientOptions.path': { text: 'Path of the server, if its URL has none.', fallback: "'/mafalda'" },
  'RemoteMafaldaClientOptions.ca': {
    text: 'Certificate authority, PEM, for servers whose certificate the system does not know. Certificates are always checked.',
    fallback: 'the authorities that Node.js knows',
  },
  'RemoteMafaldaClientOptions.fingerprints': {
    text: 'SHA-256 fingerprints of certificates, `AB:CD:…` as `openssl x509 -fingerprint -sha256` shows them: a server of a `wss:` URL must have one of these certificates, and needs no authority. Or a function of the URL that returns them, called at each attempt to connect, or undefined where authorities decide.',
    fallback: 'authorities decide',
  },
  'RemoteMafaldaClientOptions.cert': {
    text: 'Certificate of this client, PEM, for servers that ask for it.',
    fallback: 'no certificate',
  },
  'RemoteMafaldaClientOptions.key': { text: 'Private key of `cert`, PEM.', fallback: 'no key' },
  'ClientSettings.tokenFile': { text: 'File with the token that the servers ask for.', fallback: 'none' },
  'ClientSettings.timeout': { text: 'Longest time to wait for a server, and for its answers.', fallback: '5s' },
  'OutputSettings.json': { text: 'JSON instead of lines for people.', fallback: 'false' },
  'DrainSettings.deadline': {
    text: 'Longest time to wait for what is there to end. Exit code 3 says that something is left.',
    fallback: 'no limit',
  },
  'DrainSettings.undo': { text: 'Takes the server into use again.', fallback: 'false' },
  'DrainSettings.now': { text: 'Ends as soon as the server has heard it, and waits for nobody.', fallback: 'false' },
};
