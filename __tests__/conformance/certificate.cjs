/** One test reads a DTLS certificate and key from a folder of mediasoup's repository that is not in its package: it gets ours. */
module.exports = {
  process: source => ({
    code: source.replaceAll("path.join(__dirname, 'data', ", "path.join(process.env['CONFORMANCE_DTLS_FOLDER'], "),
  }),
};
