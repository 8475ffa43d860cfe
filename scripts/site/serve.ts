/** Builds the site and serves it on this machine: `npm run docs`. */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { buildSite, site } from './build.ts';

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
};

await buildSite();
const port = Number(process.env['PORT'] ?? 8080);
createServer(({ url = '/' }, response) => {
  const path = normalize(decodeURIComponent(new URL(url, 'http://site').pathname));
  const file = join(site, path.endsWith('/') ? `${path}index.html` : path);
  const isThere = existsSync(file) && statSync(file).isFile();
  response.writeHead(isThere ? 200 : 404, { 'content-type': `${types[extname(file)] ?? 'text/plain'}; charset=utf-8` });
  if (isThere) createReadStream(file).pipe(response);
  else response.end('not found');
}).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/`));
