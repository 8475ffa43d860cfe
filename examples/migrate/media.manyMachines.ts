import { MafaldaHorizontal } from 'mafalda-horizontal';

const { MEDIA_SERVERS = '', MEDIA_TOKEN: token } = process.env;
export const mafalda = new MafaldaHorizontal(MEDIA_SERVERS.split(' '), { token });
