/** An insurer's sales division. */
export const orgUnit = {
  id: '019bb138-1000-72fc-848d-062f8612c207',
  key: 'sales',
  name: 'Sales',
  parentId: '00000000-0000-7000-8000-000000000002',
  revision: 1,
  createdAt: '2026-01-12T08:00:00.000Z',
}

export const newOrgUnit = { key: 'sales-de', name: 'Sales, Germany', parentId: orgUnit.id }

export const orgUnitChange = { name: 'Sales and distribution' }
