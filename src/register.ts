/**
 * Replaces `mediasoup` by `mafalda-horizontal/mediasoup` in an application that can't be changed, for `import` and
 * `require()`:
 *
 *     MAFALDA_NODES=wss://a,wss://b MAFALDA_TOKEN=… node --import mafalda-horizontal/register server.js
 */
import { replaceModule } from './module/replaceModule.ts';
import { readSettings } from './module/settings.ts';

// Missing settings make the application fail at once, rather than at its first Worker.
readSettings(process.env);

replaceModule({
  specifier: 'mediasoup',
  url: new URL('mediasoup.js', import.meta.url).href,
  except: new URL('.', import.meta.url).href,
});
