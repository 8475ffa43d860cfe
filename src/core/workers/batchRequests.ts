/**
 * Requests to a Worker, several in one system call. mediasoup writes each of them by itself to the Worker's pipe; in a
 * burst of calls that is a seventh of a server's CPU, and the Worker wakes up for each.
 */
import type { ChildProcess } from 'node:child_process';
import diagnostics from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** File descriptor of the pipe on which a Worker gets requests. */
const REQUESTS = 3;
/** Number of requests that are written together at most, so that the Worker does not wait idly for the last of a burst. */
const MAX_TOGETHER = 16;

/**
 * Calls a function, and batches the requests to the Workers that it starts.
 * @param start starts their processes before it returns, as mediasoup does
 */
export function batchingRequests<T>(start: () => T): T {
  const started: ChildProcess[] = [];
  const note = (message: unknown): void => void started.push((message as { process: ChildProcess }).process);
  diagnostics.subscribe('child_process', note);
  try {
    return start();
  } finally {
    diagnostics.unsubscribe('child_process', note);
    for (const { stdio } of started) if (stdio?.[REQUESTS]) batchWrites(stdio[REQUESTS] as Socket);
  }
}

/**
 * Makes a socket hold what is written until the code that runs at present, and the promises that it settles, have had
 * their turn. What is written first goes at once: the Worker is at work on it while the others are made.
 */
function batchWrites(socket: Socket): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  const destroy = socket.destroy.bind(socket);
  let isHeld = false;
  let held = 0;
  const flush = (): void => {
    if (isHeld) socket.uncork();
    isHeld = false;
    held = 0;
  };
  socket.write = (...args: unknown[]) => {
    const hasRoom = write(...args);
    if (!isHeld) {
      isHeld = true;
      socket.cork();
      process.nextTick(flush);
    } else if (++held === MAX_TOGETHER) {
      held = 0;
      socket.uncork();
      socket.cork();
    }
    return hasRoom;
  };
  // mediasoup closes a Worker by a last message, and destroys the pipe right after it.
  socket.destroy = error => {
    flush();
    return destroy(error);
  };
}
