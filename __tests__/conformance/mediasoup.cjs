/** What mediasoup's tests get where they ask for mediasoup: see connect.ts. */
module.exports = globalThis[Symbol.for('mediasoup under test')];
