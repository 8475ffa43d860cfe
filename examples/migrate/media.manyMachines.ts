import { MafaldaHorizontal } from 'mafalda-horizontal';

export const mafalda = new MafaldaHorizontal(process.env['MEDIA_SERVERS']!.split(' '), {
  token: process.env['MEDIA_TOKEN'],
});
