import createDebug from 'debug';

/** A logger of the `debug` library: `DEBUG=mafalda:*` shows them all on stderr. */
export function logger(name: string): createDebug.Debugger {
  return createDebug(`mafalda:${name}`);
}
