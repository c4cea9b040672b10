import { ASSENT_ID } from '../ids.js'
import type { Principal } from './principal.js'

/** Assent itself, for what it does of its own accord: no right is asked for, and it is on record. */
export const assentItself: Principal = {
  personId: ASSENT_ID,
  kind: 'service',
  name: 'Assent',
  grants: [],
  boundUseCaseIds: [],
}
