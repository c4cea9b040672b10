// Compiles each source file on its own into dist/, and removes outputs whose source is gone.
// A file is only written when it changed, so a build never disturbs a process that runs from dist/.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

const folders = ['src', 'test', 'bench'].filter((folder) => existsSync(join(root, folder)))

const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: folders.map((folder) => `${folder}/**/*.ts`),
  outbase: '.',
  outdir: 'dist',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  logLevel: 'error',
  write: false,
})

for (const { path, contents } of outputFiles) {
  if (!isCurrent(path, contents)) replace(path, contents)
}
removeAllBut(new Set(outputFiles.map(({ path }) => path)))

function isCurrent(path, contents) {
  try {
    return readFileSync(path).equals(contents)
  } catch {
    return false
  }
}

function replace(path, contents) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.${process.pid}`, contents)
  renameSync(`${path}.${process.pid}`, path)
}

function removeAllBut(wanted) {
  for (const entry of readdirSync(join(root, 'dist'), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name)
    if (entry.isFile() && !wanted.has(path) && /\.js(\.map)?$/.test(path)) rmSync(path, { force: true })
  }
}
