import { z } from 'zod'
import { RegistryError } from '../errors.js'
import { binding, newBinding } from './examples.js'

export const Binding = z
  .strictObject({
    id: z.uuid(),
    useCaseId: z.uuid(),
    personId: z.uuid().describe('The service account of the pipeline'),
    name: z.string().describe('Name of the service account'),
    boundBy: z.uuid().describe('Id of a person'),
    boundAt: z.iso.datetime(),
  })
  .meta({ id: 'Binding', description: 'A pipeline that may ask for one use case', examples: [binding] })
export type Binding = z.infer<typeof Binding>

export const NewBinding = z
  .strictObject({
    personId: z.uuid().describe('The service account of the pipeline'),
  })
  .meta({ id: 'NewBinding', examples: [newBinding] })
export type NewBinding = z.infer<typeof NewBinding>

interface Account {
  kind: 'human' | 'service'
  status: string
}

/** @throws RegistryError `conflict` unless it is a service account at work that holds the role `pipeline` */
export function assertPipeline({ kind, status }: Account, roles: Set<string>): void {
  if (kind !== 'service')
    throw new RegistryError('conflict', 'people are not bound to use cases; choose a service account')
  if (status !== 'active')
    throw new RegistryError('conflict', 'this service account is no longer in use; choose another')
  if (!roles.has('pipeline'))
    throw new RegistryError(
      'conflict',
      'this service account is no pipeline; have an administrator grant it the role first',
    )
}
