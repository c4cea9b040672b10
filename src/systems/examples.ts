export const system = {
  id: '019c22ba-e680-7370-b029-d2b52224c878',
  key: 'quillmark-draft',
  name: 'Quillmark Draft',
  kind: 'vendor_product',
  vendor: 'Quillmark',
  description: 'Drafts texts out of passages that compliance approved.',
  revision: 1,
  createdAt: '2026-02-03T09:00:00.000Z',
}

const { key, name, kind, vendor, description } = system
export const newSystem = { key, name, kind, vendor, description }

export const systemChange = { vendor: 'Quillmark Holdings' }
