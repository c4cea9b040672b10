import { RegistryError } from '../../errors.js'

/** What a refusal says (RFC 9457). */
export interface Refusal {
  detail: string
  rule?: string
}

/** A file as a form sends it. */
export interface NamedBytes {
  name: string
  mediaType: string
  bytes: Uint8Array<ArrayBuffer>
}

/** Somebody who speaks HTTP to the server. An answer that the story does not expect ends it, in the server's words. */
export class Caller {
  readonly #url: string
  /** For the command line, which signs in by itself. */
  readonly token: () => Promise<string>

  constructor(url: string, token: () => Promise<string>) {
    this.#url = url
    this.token = token
  }

  async get<T>(path: string): Promise<T> {
    return (await this.#send('GET', path)).json() as Promise<T>
  }

  async text(path: string): Promise<string> {
    return await (await this.#send('GET', path)).text()
  }

  async post<T>(path: string, body?: object, revision?: number): Promise<T> {
    return (await this.#send('POST', path, { body, revision })).json() as Promise<T>
  }

  async patch<T>(path: string, body: object, revision: number): Promise<T> {
    return (await this.#send('PATCH', path, { body, revision })).json() as Promise<T>
  }

  /** Sends a form with a file, which comes after its fields. */
  async upload<T>(path: string, file: NamedBytes, fields: Record<string, string> = {}): Promise<T> {
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) form.append(name, value)
    form.append('file', new Blob([file.bytes], { type: file.mediaType }), file.name)
    return (await this.#send('POST', path, { form })).json() as Promise<T>
  }

  /** Tries what the rights in force forbid (403), or what does not fit the present state (409). */
  async refused(path: string, body: object, expected: 403 | 409 = 403): Promise<Refusal> {
    return (await this.#send('POST', path, { body, expected })).json() as Promise<Refusal>
  }

  async #send(method: string, path: string, request: Sent = {}): Promise<Response> {
    const { body, form, revision, expected } = request
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await this.token()}`,
        ...(body && { 'content-type': 'application/json' }),
        ...(revision !== undefined && { 'if-match': `"${revision}"` }),
      },
      ...(body && { body: JSON.stringify(body) }),
      ...(form && { body: form }),
    })
    if (expected === undefined ? response.ok : response.status === expected) return response
    throw new RegistryError('unavailable', `the demo stops: ${await reasonOf(response)} (${method} ${path})`)
  }
}

async function reasonOf(response: Response): Promise<string> {
  const isProblem = response.headers.get('content-type')?.includes('json')
  const { detail } = isProblem ? ((await response.json()) as Partial<Refusal>) : {}
  return detail ?? `the server answered ${response.status}`
}

interface Sent {
  body?: object | undefined
  form?: FormData
  revision?: number | undefined
  expected?: number
}
