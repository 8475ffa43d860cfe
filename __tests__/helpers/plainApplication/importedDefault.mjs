import mediasoup from 'mediasoup';
import startConference from './conference.cjs';

await startConference(mediasoup);
