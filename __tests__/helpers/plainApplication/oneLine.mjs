import * as mediasoup from 'mafalda-horizontal/mediasoup';
import startConference from './conference.cjs';

await startConference(mediasoup);
