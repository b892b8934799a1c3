import { Certificate, type CertificateFiles } from './http/certificate.ts';
import type { Logger } from './logger.ts';

/** The certificate of the settings, whose changes the log has. @throws SpoonError `config-invalid` */
export async function openCertificate(files: CertificateFiles, log: Logger): Promise<Certificate> {
  const certificate = await Certificate.open({
    files,
    onLoaded: (text) => log.info('certificate', { text }),
    onRefused: (text) => log.warn('certificate.refused', { text }),
  });
  for (const text of certificate.problems()) log.warn('certificate.problem', { text });
  return certificate;
}
