/**
 * Gives an application that can't be touched `mafalda-horizontal/mediasoup` for its `mediasoup`, whether it imports or requires it:
 *
 *     MAFALDA_NODES=wss://a,wss://b MAFALDA_TOKEN=… node --import mafalda-horizontal/register server.js
 */
import { replaceModule } from './module/replaceModule.ts';
import { readSettings } from './module/settings.ts';

// An application that would start only to fail at its first Worker fails at once.
readSettings(process.env);

replaceModule({
  specifier: 'mediasoup',
  url: new URL('mediasoup.js', import.meta.url).href,
  except: new URL('.', import.meta.url).href,
});
