import { request } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'

/** A body that is made as it is sent, so that its sender needs no memory for it. */
export interface Body {
  type: string
  parts: Iterable<Buffer>
}

const chunk = Buffer.alloc(64 * 1024, 'evidence')
const BOUNDARY = 'assent-bench-boundary'

/** So many bytes that begin with these. */
function* bytesOf(size: number, start: string): Generator<Buffer> {
  yield Buffer.from(start)
  for (let left = size - start.length; left > 0; left -= chunk.length) yield chunk.subarray(0, left)
}

export function plain(size: number): Body {
  return { type: 'application/octet-stream', parts: bytesOf(size, '') }
}

/** A form with a piece of evidence of this size. */
export function form(size: number, start: string): Body {
  const field = (name: string, value: string) =>
    `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
  const file =
    'content-disposition: form-data; name="file"; filename="report.txt"\r\ncontent-type: text/plain'
  const head = `${field('kind', 'test_report')}${field('title', 'Tests')}--${BOUNDARY}\r\n${file}\r\n\r\n`
  const parts = function* () {
    yield Buffer.from(head)
    yield* bytesOf(size, start)
    yield Buffer.from(`\r\n--${BOUNDARY}--\r\n`)
  }
  return { type: `multipart/form-data; boundary=${BOUNDARY}`, parts: parts() }
}

/**
 * Sends a body and reads the answer.
 * @throws Error unless it is a 2xx
 */
export async function send(url: string, { type, parts }: Body, token = ''): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': type }
  const sending = request(url, { method: 'POST', headers, agent: false })
  const answered = new Promise<string>((resolve, reject) => {
    sending.once('error', reject).once('response', (response) => {
      const isGood = String(response.statusCode).startsWith('2')
      text(response).then((answer) => (isGood ? resolve(answer) : reject(new Error(answer))), reject)
    })
  })
  await Promise.all([pipeline(Readable.from(parts), sending), answered])
}
