import { v5 } from 'uuid'

/** UUIDv7 (RFC 9562 section 5.7): ids that sort by the time they were made. */
export { v7 as newId } from 'uuid'

/** Assent itself, the actor while nobody is signed in yet. */
export const ASSENT_ID = '00000000-0000-7000-8000-000000000001'

/** Policy as such: the one aggregate that its loading and application are recorded on. */
export const POLICY_ID = '00000000-0000-7000-8000-000000000003'

/** The root of the tree of org units. */
export const ROOT_UNIT_ID = '00000000-0000-7000-8000-000000000002'

/** Assent's own, for ids that are made of names. */
const NAMESPACE = '5b0f6f6e-3a2e-4a59-9c7e-0d6a4b1c8e21'

/** UUIDv5 (RFC 9562 section 5.5): of the same name always the same id. OSCAL knows no version but this and 4. */
export const idOfName = (name: string): string => v5(name, NAMESPACE)
