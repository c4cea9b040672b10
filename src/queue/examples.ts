import { openCondition } from '../conditions/examples.js'
import { review } from '../reviews/examples.js'
import { useCase } from '../use-cases/examples.js'

const { id, key, title } = useCase
const of = { id, key, title, tier: useCase.tier.effective }

export const queue = {
  at: '2026-02-27T08:00:00.000Z',
  items: [
    {
      kind: 'vote',
      id: review.id,
      useCase: of,
      todo: 'Read the brief and vote for the legal seat',
      dueAt: review.dueAt,
      isOverdue: true,
      since: review.openedAt,
      link: `/v1/reviews/${review.id}/brief`,
    },
    {
      kind: 'condition',
      id: openCondition.id,
      useCase: of,
      todo: `See to it, and name an accepted ${openCondition.satisfiedBy} that shows it: ${openCondition.text}`,
      dueAt: openCondition.dueAt,
      isOverdue: false,
      since: openCondition.imposedAt,
      link: `/v1/conditions/${openCondition.id}`,
    },
  ],
  more: [],
}
