const mediasoup = require('mediasoup');
const startConference = require('./conference.cjs');

startConference(mediasoup);
