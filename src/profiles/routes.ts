import { z } from 'zod'
import { requireRevision } from '../http/etag.js'
import { operation } from '../http/operations.js'
import { page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import type { Policies } from '../policy/load.js'
import { UseCaseRef } from '../use-cases/use-case.js'
import { Assessed, NewAssessments } from './assessment.js'
import { NewCopy, ProfileCopy } from './copying.js'
import { ControlAssessment, ControlProfile, historyFilters, profileFilters } from './profile.js'
import { getProfile, listAssessments } from './reading.js'
import { assess, copyProfile } from './service.js'

const params = z.strictObject({ id: UseCaseRef })
const tag = 'Controls'

interface Deps {
  policies: Policies
}

/** How far the controls of a use case are, and of all of them. */
export async function profileRoutes(app: App, { policies }: Deps): Promise<void> {
  app.get(
    '/v1/use-cases/:id/profile',
    operation({
      id: 'getProfile',
      tag,
      summary: 'The controls of a use case, and how far they are',
      description:
        'Those that policy asks for, by its tier and its facts, and those that somebody assessed beyond. Its ETag is that of the use case.',
      right: { action: 'read', subject: 'Profile' },
      params,
      query: z.strictObject(profileFilters),
      answers: { 200: ControlProfile },
    }),
    async (request) =>
      await app.read(request, (tx) => getProfile(tx, policies, request.params.id, request.query)),
  )

  app.patch(
    '/v1/use-cases/:id/profile',
    operation({
      id: 'assessControls',
      tag,
      summary: 'Say how far controls are, of up to 500 at once',
      description:
        'A line speaks of a control, or of all of a category or a function. Either all of it is taken or nothing. What was said before stays on record. While a review is open this goes on.',
      right: { action: 'assess', subject: 'Profile' },
      ifMatch: true,
      params,
      body: NewAssessments,
      answers: { 200: Assessed },
    }),
    async (request) => {
      const seen = { useCaseRef: request.params.id, revision: requireRevision(request) }
      return await app.write(request, (tx) => assess(tx, policies, seen, request.body))
    },
  )

  app.post(
    '/v1/use-cases/:id/profile/copies',
    operation({
      id: 'copyProfile',
      tag,
      summary: 'Copy what was said of the controls of another use case',
      description:
        'A copy never counts, for nobody looked at it here: what is in place there arrives as planned, and what does not apply there as not assessed, with what was said there in the note. Evidence is not copied: share it, and let somebody accept it here.',
      right: { action: 'assess', subject: 'Profile' },
      ifMatch: true,
      params,
      body: NewCopy,
      answers: { 200: ProfileCopy },
    }),
    async (request) => {
      const seen = { useCaseRef: request.params.id, revision: requireRevision(request) }
      return await app.write(request, (tx) => copyProfile(tx, policies, seen, request.body))
    },
  )

  app.get(
    '/v1/use-cases/:id/profile/history',
    operation({
      id: 'listControlAssessments',
      tag,
      summary: 'What was said of its controls, the last first',
      description: 'Every assessment there ever was; none is changed.',
      right: { action: 'read', subject: 'Profile' },
      params,
      query: z.strictObject({ ...pageQuery, ...historyFilters }),
      answers: { 200: page(ControlAssessment) },
    }),
    async (request) =>
      await app.page(request, (tx, page) => {
        const { limit: _limit, cursor: _cursor, ...filters } = request.query
        return listAssessments(tx, request.params.id, filters, page)
      }),
  )
}
