import { page, plain, section } from '../markdown.js'
import type { Certificate } from './disposal.js'

/** The certificate as a page to sign or to file. */
export function certificateToMarkdown(certificate: Certificate): string {
  const { useCase, proposed, confirmed, disposalId, disposedAt, policy, pieces } = certificate
  const signed = ({ by, at, reason }: Certificate['proposed']) => `${plain(by.name)}, ${at}: ${plain(reason)}`
  return page([
    '# Certificate of disposal',
    `Evidence of ${useCase.key}, ${plain(useCase.title)}, was disposed of on ${disposedAt}: its bytes, what it said, and
the salts of the log's hashes of it. Digests stay.`,
    section('Who', [
      `Proposed by ${signed(proposed)}`,
      `Confirmed by ${signed(confirmed)}`,
      `Disposal ${disposalId}, under the policy ${policy}`,
    ]),
    section('What', pieces.map(line)),
  ])
}

function line({
  evidenceId,
  kind,
  form,
  digest,
  size,
  classes,
  retainedUntil,
  ...rest
}: Certificate['pieces'][number]) {
  const { attachedAt, eventNo, bytes, bytesRemovedAt } = rest
  const removal = bytesRemovedAt === null ? wordsFor[bytes] : `bytes removed ${bytesRemovedAt}`
  return (
    `${digest}, ${size} bytes (${plain(kind)}, ${form}, ${evidenceId}): attached ${attachedAt}, kept until ` +
    `${retainedUntil} under ${classes.map(plain).join(', ') || 'no class'}; event ${eventNo}; ${removal}`
  )
}

const wordsFor: Record<Certificate['pieces'][number]['bytes'], string> = {
  none: 'it had no file',
  shared: 'other evidence has the same bytes, which stay',
  waiting: 'its bytes are about to be removed',
  removed: 'bytes removed',
}
