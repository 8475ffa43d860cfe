/** Builds the site: `npm run docs:build`, or `npm run docs:build -- FOLDER`. */
import { buildSite, site } from './build.ts';

const [folder = site] = process.argv.slice(2);
await buildSite(folder);
console.log(`${folder}/index.html`);
