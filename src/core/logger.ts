import createDebug from 'debug';

/** Returns a logger of the `debug` library: `DEBUG=mafalda:*` shows all of them on stderr. */
export function logger(name: string): createDebug.Debugger {
  return createDebug(`mafalda:${name}`);
}
