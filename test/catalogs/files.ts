// Catalogs as files, and how somebody sends them.
import type { Answer, Person } from '../app.js'

export const formType = { 'content-type': 'multipart/form-data; boundary=x' }

/** Sends a form of these fields, and then the file. */
export function importing(person: Person) {
  return async (
    fields: Record<string, string>,
    file: string | Buffer,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const head = (words: string) => `--x\r\ncontent-disposition: form-data; ${words}\r\n\r\n`
    const parts = Object.entries(fields).map(([name, value]) => `${head(`name="${name}"`)}${value}\r\n`)
    const form = Buffer.concat([
      Buffer.from(`${parts.join('')}${head('name="file"; filename="catalog"')}`),
      Buffer.from(file),
      Buffer.from('\r\n--x--\r\n'),
    ])
    return await person.post('/v1/catalogs', form, { ...formType, ...headers })
  }
}

/** An OSCAL catalog that holds these. */
export function oscal(held: object): string {
  const metadata = {
    ...{ title: 'Sample', version: '1', 'oscal-version': '1.1.3' },
    'last-modified': '2024-05-01T10:00:00Z',
  }
  return JSON.stringify({ catalog: { uuid: 'cf0ab4dc-3b5d-4b8e-9a35-0c3f1b7d2e11', metadata, ...held } })
}

const label = (value: string) => ({ name: 'label', value })

/** As `GOVERN` with a category, and `MAP` without one. */
export const oscalFile = oscal({
  groups: [
    {
      ...{ id: 'govern', title: 'Govern' },
      groups: [
        {
          ...{ id: 'govern-1', title: 'Policies' },
          controls: [
            {
              ...{ id: 'govern-1.1', title: 'Legal requirements', props: [label('GOVERN 1.1')] },
              params: [{ id: 'often', label: 'each quarter' }],
              parts: [
                {
                  ...{ name: 'statement', prose: 'Requirements are reviewed {{ insert: param, often }}.' },
                  parts: [{ name: 'item', props: [label('a.')], prose: 'By counsel.' }],
                },
                { name: 'guidance', prose: 'Not read.' },
              ],
              controls: [{ id: 'govern-1.1.1', title: 'Part', props: [label('GOVERN 1.1(1)')] }],
            },
            {
              ...{ id: 'govern-1.9', title: 'Old' },
              props: [label('GOVERN 1.9'), { name: 'status', value: 'withdrawn' }],
            },
          ],
        },
      ],
    },
    { id: 'map', title: 'Map', controls: [{ id: 'map-1', title: 'Context', props: [label('MAP 1')] }] },
  ],
  'back-matter': { resources: [{ uuid: '0b5e4f7a-6c1d-4e2f-8a9b-1c2d3e4f5a6b', title: 'Not read' }] },
})

export const csv = `\ufeffID,Title,Text,Function,Function title,Category,Parent,Ties,Risks
H 1,Lock; always,,HOUSE,In the house,DOORS,,MAP 1.1; MAP 1.2,fire;flood;fire
H 1.1,The back door,,HOUSE,,DOORS,H 1,,
H 2,"Say ""hello""","To all
who come",HOUSE,,,,,
`
