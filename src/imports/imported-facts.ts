import type { Stage, Technique } from '../use-cases/use-case.js'

/**
 * The facts of a use case as a source states them: names where the register has ids. An absent field means that the
 * source says nothing; an empty one, that it has the column and left it blank.
 */
export interface ImportedFacts {
  title: string
  purpose: string
  benefits: string
  outputs: string
  /** Names or keys of org units from the top down, such as `['Department of Energy', 'NETL']`. */
  orgUnit: string[]
  jurisdictions: string[]
  channels: string[]
  stage: Stage
  technique: Technique | null
  systems: string[]
  /** Question id to option id; `unknown` where the source left the column blank. */
  answers: Record<string, string>
  /** Name or e-mail address. */
  businessOwner: string | null
  riskOwner: string | null
  tags: string[]
}
