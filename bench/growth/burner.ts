/** Keeps a core busy until it is ended. */
process.on('disconnect', () => process.exit());
function burn(): void {
  for (const until = performance.now() + 50; performance.now() < until;);
  setImmediate(burn);
}
burn();
