/**
 * Loggers of the `debug` library, with mediasoup's levels: `DEBUG=mafalda:*` shows all of them on stderr,
 * `DEBUG=mafalda:WARN:*,mafalda:ERROR:*` only failures. An application can have the lines in a logger of its own.
 */
import { format as formatText } from 'node:util';
import createDebug from 'debug';

/** Facts of a structured line. */
export type LogFacts = Readonly<Record<string, string | number | undefined>>;

/**
 * Receives a line.
 * @param namespace such as `mafalda:placement` or `mafalda:WARN:server`
 * @param facts of a structured line, whose JSON is `log`
 */
export type LogListener = (namespace: string, log: string, facts?: LogFacts) => void;

/** Listeners for the lines of the library by level, like mediasoup's listeners of this name. */
export interface LogEventListeners {
  /** Lines about what is going on. */
  ondebug?: LogListener;
  /** Lines about failures that an operator may have to look at. */
  onwarn?: LogListener;
  /** Lines about failures of the application's or of the library's own. */
  onerror?: LogListener;
}

/** Logger of a part of the library. Called itself, it writes a line about what is going on. */
export interface Logger {
  (format: string, ...args: unknown[]): void;
  /** Writes a line about a failure that an operator may have to look at. */
  warn(this: void, format: string, ...args: unknown[]): void;
  /** Writes a line about a failure of the application's or of the library's own. */
  error(this: void, format: string, ...args: unknown[]): void;
  /** Writes a structured line, as JSON. */
  facts(this: void, facts: LogFacts): void;
}

let listeners: LogEventListeners = {};

/**
 * Sets listeners for all lines of this library in this process, beside `DEBUG`. They replace the listeners that were
 * set before; without an argument, there are none.
 *
 * @example
 * setLogEventListeners({
 *   ondebug: (namespace, log, facts) => logger.debug({ namespace, ...facts }, log),
 *   onwarn: (namespace, log) => logger.warn({ namespace }, log),
 *   onerror: (namespace, log) => logger.error({ namespace }, log),
 * });
 */
export function setLogEventListeners({ ondebug, onwarn, onerror }: LogEventListeners = {}): void {
  listeners = { ondebug, onwarn, onerror };
}

/** Returns the logger of a part of the library, whose namespace is `mafalda:` and its name. */
export function logger(name: string): Logger {
  const debug = createDebug(`mafalda:${name}`);
  const facts = (data: LogFacts): void => {
    if (!debug.enabled && !listeners.ondebug) return;
    const text = JSON.stringify(data);
    debug('%s', text);
    pass('ondebug', debug.namespace, text, data);
  };
  return Object.assign(writer(debug, 'ondebug'), {
    warn: writer(createDebug(`mafalda:WARN:${name}`), 'onwarn'),
    error: writer(createDebug(`mafalda:ERROR:${name}`), 'onerror'),
    facts,
  });
}

function writer(
  debug: createDebug.Debugger,
  level: keyof LogEventListeners,
): (...args: [string, ...unknown[]]) => void {
  return (...args) => {
    debug(...args);
    if (listeners[level]) pass(level, debug.namespace, formatText(...args));
  };
}

/** Calls a listener, whose errors must not change what the library does. */
function pass(level: keyof LogEventListeners, ...line: Parameters<LogListener>): void {
  try {
    listeners[level]?.(...line);
  } catch (error) {
    createDebug('mafalda:ERROR:logger')('a listener of log lines threw: %o', error);
  }
}
