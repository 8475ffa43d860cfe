/** States of a WebSocket, and `CONNECTED`: the server has accepted the client. */
export const ReadyState = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3, CONNECTED: 4 } as const;
export type ReadyState = (typeof ReadyState)[keyof typeof ReadyState];
