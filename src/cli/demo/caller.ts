import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'

export interface Answer {
  status: number
  // Answers are read as a person reads them: by looking for a field.
  body: Fields
  headers: Headers
}
export type Fields = { [name: string]: Fields & string & number & Fields[] }

/** Somebody who speaks HTTP to the server, and says so if an answer is not what the story needs. */
export class Caller {
  readonly #url: string
  readonly #token: () => Promise<string>

  constructor(url: string, token: () => Promise<string>) {
    this.#url = url
    this.#token = token
  }

  async get(path: string): Promise<Answer> {
    return await this.#send('GET', path)
  }

  async post(path: string, body?: object, revision?: number): Promise<Answer> {
    return await this.#send('POST', path, body && JSON.stringify(body), {
      ...(body && { 'content-type': 'application/json' }),
      ...(revision !== undefined && { 'if-match': `"${revision}"` }),
    })
  }

  async patch(path: string, body: object, revision: number): Promise<Answer> {
    const headers = { 'content-type': 'application/json', 'if-match': `"${revision}"` }
    return await this.#send('PATCH', path, JSON.stringify(body), headers)
  }

  /** Streams a file as the body. */
  async upload(path: string, file: string): Promise<Answer> {
    const body = Readable.toWeb(createReadStream(file)) as ReadableStream
    return await this.#send('POST', path, body, { 'content-type': 'application/octet-stream' })
  }

  async #send(
    method: string,
    path: string,
    body?: string | ReadableStream,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const authorization = `Bearer ${await this.#token()}`
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { ...headers, authorization },
      ...(body !== undefined && { body, duplex: 'half' }),
    } as RequestInit)
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    return { status: response.status, body: isJson ? JSON.parse(text) : { text }, headers: response.headers }
  }
}

/** @throws Error with the server's own sentence when it answered otherwise */
export function expectStatus(answer: Answer, ...statuses: number[]): Answer {
  if (statuses.includes(answer.status)) return answer
  throw new Error(`the demo stops: ${answer.status} ${answer.body.detail ?? ''}`)
}
