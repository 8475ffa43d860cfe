import * as mediasoup from 'mediasoup';
import { Mafalda } from 'mafalda-horizontal';

export const mafalda = new Mafalda(mediasoup);
