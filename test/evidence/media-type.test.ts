// A file is what it is declared to be, or it is refused.
import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { MediaType, nameFitting } from '../../src/evidence/media-type.js'
import { assertFits, recognizing } from '../../src/evidence/recognizing.js'
import { archive as whole } from './archives.js'
import { startWorld, trace, upload } from './world.js'

const office = 'application/vnd.openxmlformats-officedocument'
const word = `${office}.wordprocessingml.document`
const excel = `${office}.spreadsheetml.sheet`
const slides = `${office}.presentationml.presentation`

/** The local header of an entry that is stored. */
function entry(name: string, content = ''): Buffer {
  const header = Buffer.alloc(30)
  header.write('PK\x03\x04', 'latin1')
  header.writeUInt32LE(content.length, 18)
  header.writeUInt32LE(content.length, 22)
  header.writeUInt16LE(name.length, 26)
  return Buffer.concat([header, Buffer.from(name + content)])
}
const archive = (...names: string[]) => Buffer.concat(names.map((name) => entry(name, 'content')))
const parts = ['[Content_Types].xml', '_rels/.rels']
const bytes = (text: string) => Buffer.from(text, 'latin1')
const openText = entry('mimetype', 'application/vnd.oasis.opendocument.text')

const honest: [MediaType, Buffer][] = [
  ['application/pdf', bytes('%PDF-1.7\n\x80\xff')],
  ['image/png', bytes('\x89PNG\r\n\x1a\n\0\0')],
  ['image/jpeg', bytes('\xff\xd8\xff\xe0\0')],
  ['image/gif', bytes('GIF89a\0')],
  ['image/webp', bytes('RIFF\0\0\0\0WEBPVP8 ')],
  ['image/tiff', bytes('II*\0\x08')],
  ['image/tiff', bytes('MM\0*\0')],
  [word, archive(...parts, 'word/document.xml')],
  [excel, archive('docProps/app.xml', 'xl/theme/theme1.xml')],
  [slides, archive(...parts, 'ppt/presentation.xml')],
  ['application/vnd.oasis.opendocument.text', openText],
  ['application/zip', archive('tests/report.csv', 'word/of/mouth.txt')],
  ['application/zip', bytes(`PK\x05\x06${'\0'.repeat(18)}`)],
  ['application/json', Buffer.from('\ufeff\n {"groups": ["ä"]}')],
  ['application/x-ndjson', Buffer.from('{"a":1}\n{"a":2}\n')],
  ['application/yaml', Buffer.from('groups:\n  - one\n')],
  ['text/csv', Buffer.from('MZ,count\r\nä,1\r\n')],
  ['text/markdown', Buffer.from('---\nname: model\n---\n# Model\n<p align="center">')],
  ['text/plain', Buffer.from('[1] a < b')],
]

t.test('what is what it says is taken', async (t) => {
  for (const [type, head] of honest) t.doesNotThrow(() => assertFits(type, head), type)
  t.same([...new Set(honest.map(([type]) => type))].length, MediaType.options.length - 2, 'all but two tried')
})

t.test('no file passes for another', async (t) => {
  for (const [type, head] of honest) {
    for (const other of MediaType.options.filter((one) => one !== type && !areText(one, type))) {
      t.throws(() => assertFits(other, head), {
        code: 'invalid',
        message: new RegExp(`not ${quote(other)}`),
      })
    }
  }
})

t.test('programs, scripts, HTML and SVG pass for nothing', async (t) => {
  const wrong: [string, Buffer][] = [
    ['a program', bytes('MZ\x90\0\x03')],
    ['a program', bytes('\x7fELF\x02')],
    ['a program', bytes('\xcf\xfa\xed\xfe')],
    ['a program', archive('META-INF/MANIFEST.MF')],
    ['a program', archive(...parts, 'word/vbaProject.bin')],
    ['a script', bytes('#!/bin/sh\n')],
    ['HTML', Buffer.from('\ufeff \n<!DOCTYPE html><html>')],
    ['HTML', Buffer.from('<!-- a --> <SCRIPT>alert(1)</SCRIPT>')],
    ['HTML', Buffer.from('<svg onload="x">')],
    ['HTML', Buffer.from('<?xml version="1.0"?><svg/>')],
    ['of no kind', bytes('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1')],
    ['of no kind', bytes('a\0b')],
    ['of no kind', bytes('caf\xe9 au lait')],
    ['of no kind', bytes('caf\xc3')],
    ['of no kind', Buffer.from('wide', 'utf16le')],
    ['text in UTF-16', Buffer.from('\ufeffwide', 'utf16le')],
  ]
  for (const [words, head] of wrong) {
    for (const type of MediaType.options) {
      t.throws(() => assertFits(type, head), { code: 'invalid', message: new RegExp(`the file is ${words}`) })
    }
  }
})

t.test('only the first bytes are held, and a character that they cut is no error', async (t) => {
  const text = Buffer.from('ä'.repeat(4000))
  for (const size of [1, 7, 4095, 4096, 4097, 8000]) {
    let asked = 0
    const chunks = (async function* () {
      for (let at = 0; at < text.length; at += size) {
        asked += 1
        yield text.subarray(at, at + size)
      }
    })()
    const received = recognizing(chunks, 'text/plain')
    const first = await received.next()
    t.equal(asked, Math.ceil(4096 / size), `chunks of ${size}`)
    const rest: Buffer[] = [Buffer.from(first.value ?? '')]
    for await (const chunk of received) rest.push(Buffer.from(chunk))
    t.ok(Buffer.concat(rest).equals(text))
  }
})

t.test('a file that lies is refused in a sentence, and nothing of it is kept', async (t) => {
  const world = await startWorld(t)
  const before = await trace(world)
  const cases: [type: string, content: Buffer | string, detail: RegExp][] = [
    ['application/pdf', 'MZ\x90\0', /^the file is a program, not application\/pdf as declared; /i],
    ['application/pdf', '<html>', /is HTML, SVG or XML, not application\/pdf/],
    [word, archive('a.txt'), /is a ZIP archive, not application\/vnd/],
    ['text/csv', '%PDF-1.7', /is a PDF, not text\/csv/],
    ['text/html', 'hello', /type text\/html are not taken; send one of/],
    ['image/svg+xml', '<svg/>', /are not taken/],
    ['application/octet-stream', 'hello', /are not taken/],
  ]
  for (const [type, content, detail] of cases) {
    const { status, body } = await upload(world, world.risk, { bytes: content, type })
    t.match({ status, body }, { status: 422, body: { detail } }, type)
  }
  t.same(await trace(world), before)
  t.equal((await upload(world, world.risk, { bytes: 'a,b\n1,2\n', type: 'text/csv' })).status, 201)
})

t.test('what follows the first bytes makes it nothing else', async (t) => {
  const padding = 'x'.repeat(9000)
  const office = { '[Content_Types].xml': '<x/>', 'word/document.xml': Buffer.from(randomBytes(9000)) }
  const java = whole({ 'META-INF/MANIFEST.MF': 'Main-Class: A', 'A.class': 'x' })
  const gif = Buffer.concat([bytes('GIF89a\0'), Buffer.alloc(9000), java])
  const pdf = Buffer.concat([bytes('%PDF-1.7\n'), Buffer.alloc(9000)])
  const honestOnes: [MediaType, Buffer][] = [
    [word, whole(office)],
    ['application/zip', whole({ 'notes.txt': padding, 'macros/vbaProject.bin.txt': 'x' })],
    ['application/pdf', Buffer.concat([pdf, bytes('about vbaProject.bin and META-INF/MANIFEST.MF')])],
    ['text/plain', Buffer.from(`${padding}${'aäਅ😀'.repeat(400)}`)],
  ]
  const lies: [words: string, MediaType, Buffer][] = [
    ['a program', word, whole({ ...office, 'word/vbaProject.bin': 'x' })],
    ['a program', word, whole({ ...office, 'WORD/VBAPROJECT.BIN': 'x' })],
    ['a program', 'application/zip', whole({ 'a.txt': randomBytes(9000), 'AndroidManifest.xml': 'x' })],
    ['a program', 'image/gif', gif],
    ['a program', 'application/pdf', Buffer.concat([pdf, java])],
    ['of no kind', 'text/plain', Buffer.concat([Buffer.from(padding), bytes('MZ\x90\0')])],
    ['of no kind', 'text/csv', Buffer.concat([Buffer.from(padding), bytes('\xff')])],
    ['of no kind', 'application/json', Buffer.concat([Buffer.from(`{"a":"${padding}`), bytes('\xf0\x9f')])],
  ]
  for (const size of [1, 13, 4096, 64 * 1024]) {
    for (const [type, content] of honestOnes) {
      t.ok((await through(content, type, size)).equals(content), `${type} in chunks of ${size}`)
    }
    for (const [words, type, content] of lies) {
      await t.rejects(through(content, type, size), {
        code: 'invalid',
        message: new RegExp(`the file is ${words}.*not ${quote(type)}`),
      })
    }
  }
})

t.test('a bomb is bytes like any others: nothing is unpacked', async (t) => {
  const bomb = whole({ 'zeros.bin': Buffer.alloc(50_000_000) })
  t.ok(bomb.length < 100_000)
  t.ok((await through(bomb, 'application/zip', 64 * 1024)).equals(bomb))
})

t.test('a file is saved under a name that ends as its type does', async (t) => {
  const cases: [name: string, type: string, saved: string][] = [
    ['report.pdf', 'application/pdf', 'report.pdf'],
    ['Report.PDF', 'application/pdf', 'Report.PDF'],
    ['scan.jpeg', 'image/jpeg', 'scan.jpeg'],
    ['invoice.pdf', 'text/plain', 'invoice.pdf.txt'],
    ['setup.exe', 'application/pdf', 'setup.exe.pdf'],
    ['page.html', 'text/plain', 'page.html.txt'],
    ['run.bat', 'text/csv', 'run.bat.csv'],
    ['letter.docm', word, 'letter.docm.docx'],
    ['README', 'text/markdown', 'README.md'],
    ['a.exe.', 'text/plain', 'a.exe..txt'],
    ['pdf', 'application/pdf', 'pdf.pdf'],
    ['old.doc', 'application/msword', 'old.doc.bin'],
  ]
  for (const [name, type, saved] of cases) t.equal(nameFitting(name, type), saved)
})

async function through(content: Buffer, type: MediaType, size: number): Promise<Buffer> {
  const chunks = (async function* () {
    for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
  })()
  return await buffer(recognizing(chunks, type))
}

function areText(one: MediaType, other: MediaType): boolean {
  const text = ['text/', 'application/json', 'application/x-ndjson', 'application/yaml']
  return [one, other].every((type) => text.some((start) => type.startsWith(start)))
}

function quote(text: string): string {
  return text.replace(/[.+]/g, '\\$&')
}
