// Whom the Redfish driver takes for its controller: nobody whose certificate is not vouched for gets to see a password.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../../packages/core/src/testing/certificates.ts';
import { RedfishStage, targetOf } from './redfish-stage.ts';

const authority = createAuthority('BMCs');
const strangers = createAuthority('strangers');
const certificate = authority.issue('127.0.0.1');

const open = async (ca: string | undefined): Promise<RedfishStage> => {
  const stage = await RedfishStage.open({ bmc: { certificate } });
  if (ca !== undefined) await stage.write('ca.crt', ca);
  return stage;
};

const fence = (stage: RedfishStage, ca?: string) =>
  stage.makeFencer(ca === undefined ? {} : { ca: join(stage.folder, ca) }).fence(targetOf(), stage.context());

const unknown = 'its certificate is signed by an authority that is not trusted; check the CA file';

describe('a controller behind TLS', () => {
  it('is trusted by the authority in the file, as the file is now', async () => {
    await using stage = await open(strangers.cert);
    const fencer = stage.makeFencer({ ca: join(stage.folder, 'ca.crt') });
    expect(await fencer.fence(targetOf(), stage.context())).toMatchObject({ outcome: 'failed' });
    await stage.write('ca.crt', authority.cert);
    expect(await fencer.fence(targetOf(), stage.context())).toMatchObject({ outcome: 'fenced' });
    stage.bmc.showCertificate(strangers.issue('127.0.0.1'));
    expect(await fencer.fence(targetOf(), stage.context())).toMatchObject({ outcome: 'failed' });
  });

  it('is trusted by its own certificate', async () => {
    await using stage = await open(certificate.cert);
    expect(await fence(stage, 'ca.crt')).toMatchObject({ outcome: 'fenced' });
  });

  it.each<[string, string | undefined, string]>([
    ['is of another authority', strangers.cert, unknown],
    ['is of nobody that this machine knows', undefined, unknown],
  ])('gets no password when it %s', async (_, ca, words) => {
    await using stage = await open(ca);
    const result = await fence(stage, ca === undefined ? undefined : 'ca.crt');
    expect(result).toEqual({ outcome: 'failed', permanent: true, detail: `${stage.bmc.url}: ${words}` });
    expect(stage.bmc.requests).toEqual([]);
  });

  it('gets no password when its certificate signs itself, until that is in the file', async () => {
    await using stage = await open(undefined);
    const [key, cert] = [join(stage.folder, 'own.key'), join(stage.folder, 'own.crt')];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    const name = ['-subj', '/CN=bmc', '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync('openssl', ['req', '-x509', ...kind, ...name, '-keyout', key, '-out', cert], {
      stdio: 'pipe',
    });
    stage.bmc.showCertificate({ key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') });
    expect(await fence(stage)).toEqual({
      outcome: 'failed',
      permanent: true,
      detail: `${stage.bmc.url}: its certificate is signed by itself; trust it by a CA file`,
    });
    expect(stage.bmc.requests).toEqual([]);
    expect(await fence(stage, 'own.crt')).toMatchObject({ outcome: 'fenced' });
  });

  it('gets no password when its certificate is for another name', async () => {
    await using stage = await open(authority.cert);
    stage.bmc.showCertificate(authority.issue('bmc', 'bmc.example.com'));
    expect(await fence(stage, 'ca.crt')).toEqual({
      outcome: 'failed',
      permanent: true,
      detail: `${stage.bmc.url}: its certificate is for another name`,
    });
    expect(stage.bmc.requests).toEqual([]);
  });

  it.each([
    ['not a certificate', 'holds no certificate'],
    ['-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n', 'holds no certificate'],
  ])('is not asked with a CA file of %j', async (text, words) => {
    await using stage = await open(text);
    expect(await fence(stage, 'ca.crt')).toEqual({
      outcome: 'failed',
      permanent: true,
      detail: `${stage.bmc.url}: ${join(stage.folder, 'ca.crt')} ${words}`,
    });
  });

  it('is not asked when there is no CA file', async () => {
    await using stage = await open(undefined);
    expect(await fence(stage, 'none.crt')).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('ENOENT'),
    });
    expect(stage.bmc.requests).toEqual([]);
  });

  it('is told apart from one that speaks no TLS', async () => {
    await using stage = await RedfishStage.open();
    const fencer = stage.makeFencer({ address: stage.bmc.url.replace('http:', 'https:') });
    expect(await fencer.fence(targetOf(), stage.context())).toMatchObject({
      outcome: 'failed',
      permanent: true,
      detail: expect.stringContaining('it does not speak TLS (is it http?)'),
    });
  });
});
