/** Certificates, made by openssl in a folder that is gone again: one for the loopback address signs itself. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Certificate {
  cert: string;
  key: string;
}

const newKey = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';

export function selfSigned(): Promise<Certificate> {
  return inFolder(async folder => {
    await openssl(
      folder,
      `req -x509 ${newKey} -days 2 -subj /CN=mafalda-test -addext subjectAltName=IP:127.0.0.1 -out cert.pem -keyout key.pem`,
    );
    return read(folder, 'cert.pem', 'key.pem');
  });
}

/** A certificate of a client, and the authority that has signed it. */
export function signed(): Promise<Certificate & { ca: string }> {
  return inFolder(async folder => {
    await openssl(folder, `req -x509 ${newKey} -days 2 -subj /CN=mafalda-authority -out ca.pem -keyout ca.key`);
    await openssl(folder, `req -new ${newKey} -subj /CN=mafalda-client -out client.csr -keyout client.key`);
    await openssl(folder, 'x509 -req -in client.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out client.pem');
    const { cert: ca } = await read(folder, 'ca.pem', 'ca.key');
    return { ca, ...(await read(folder, 'client.pem', 'client.key')) };
  });
}

async function openssl(folder: string, command: string): Promise<void> {
  await promisify(execFile)('openssl', command.split(' '), { cwd: folder });
}

async function read(folder: string, cert: string, key: string): Promise<Certificate> {
  return { cert: await readFile(join(folder, cert), 'utf8'), key: await readFile(join(folder, key), 'utf8') };
}

async function inFolder<T>(make: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'mafalda-tls-'));
  try {
    return await make(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
