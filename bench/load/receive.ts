import { get } from 'node:http'

/**
 * Reads an answer to its end and drops it.
 * @returns how many bytes it had
 * @throws Error unless it is a 200 that ends as it should
 */
export async function receive(url: string, token: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    const request = get(url, { headers: { authorization: `Bearer ${token}` } }, (response) => {
      let bytes = 0
      if (response.statusCode !== 200) reject(new Error(`${url} answered ${response.statusCode}`))
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      response.once('end', () => resolve(bytes)).once('error', reject)
    })
    request.once('error', reject)
  })
}
