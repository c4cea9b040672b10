import type { FastifyReply } from 'fastify'
import { z } from 'zod'

/** Media types of what is read by programs, and in meetings. */
export const jsonOrMarkdown = ['application/json', 'text/markdown']

export const format = z
  .enum(['json', 'markdown'])
  .optional()
  .describe('JSON if neither this nor `Accept` says otherwise')

interface Asked {
  query: { format?: 'json' | 'markdown' | undefined }
  headers: { accept?: string | undefined }
}

/** The query says it, or else `Accept`. */
export function wantsMarkdown({ query, headers }: Asked): boolean {
  const accepted = String(headers.accept ?? '').includes('text/markdown') ? 'markdown' : 'json'
  return (query.format ?? accepted) === 'markdown'
}

export async function sendMarkdown(reply: FastifyReply, text: string): Promise<void> {
  await reply.type('text/markdown; charset=utf-8').send(text)
}
