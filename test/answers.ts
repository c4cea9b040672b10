import type { Answers, Tier } from '../src/use-cases/use-case.js'

const harmless: Answers = {
  customer_facing: 'no',
  regulated_language: 'no',
  personal_data: 'none',
  decision_role: 'none',
  autonomy: 'human_in_loop',
  affected: 'nobody',
  vulnerable_people: 'no',
  annex_iii_area: 'none',
  omb_high_impact: 'no',
  prohibited_practice: 'none',
}

/** Answers that give each tier by the policy that is shipped. */
export const answersFor: Record<Tier, Answers> = {
  minimal: harmless,
  limited: { ...harmless, customer_facing: 'yes' },
  high: { ...harmless, decision_role: 'assists', affected: 'customers', personal_data: 'special' },
  prohibited: { ...harmless, prohibited_practice: 'social_scoring' },
}
