/** Holds package.json and package-lock.json to exact versions, completeness and no install scripts. */
import { isBuiltin } from 'node:module'
import { findImports } from './imports.ts'
import type { SourceFile } from './source-files.ts'

export interface Manifest {
  readonly dependencies?: Record<string, string>
  readonly devDependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
}

export interface Lockfile {
  /** By path: `node_modules/hono`, and the empty path for ourselves. */
  readonly packages: Record<
    string,
    Manifest & { readonly version?: string; readonly hasInstallScript?: boolean }
  >
}

const EXACT = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/
const GROUPS = ['dependencies', 'devDependencies', 'optionalDependencies'] as const

/** Each dependency is named by one version, and the lockfile holds that one. */
export function checkVersions(manifest: Manifest, lockfile: Lockfile): string[] {
  return GROUPS.flatMap((group) =>
    Object.entries(manifest[group] ?? {}).flatMap(([name, version]) => {
      if (!EXACT.test(version)) return [`package.json: ${name} is "${version}"; name one version (npm i -E)`]
      const locked = lockfile.packages[`node_modules/${name}`]?.version
      if (locked === version) return []
      return [
        `package-lock.json: has ${name} ${locked ?? 'not at all'}, package.json says ${version}; run npm install`,
      ]
    }),
  )
}

/** npm leaves out optional packages that are not published yet, without a word, and `npm ci` then fails. */
export function checkComplete(lockfile: Lockfile): string[] {
  return Object.entries(lockfile.packages).flatMap(([path, entry]) =>
    Object.keys(entry.optionalDependencies ?? {})
      .filter((name) => !resolves(lockfile, path, name))
      .map(
        (name) =>
          `package-lock.json: ${path || 'posthorn'} wants ${name}, which is missing; choose another version`,
      ),
  )
}

/** As Node.js looks: in the package's own node_modules, then in that of each package around it. */
function resolves(lockfile: Lockfile, path: string, name: string): boolean {
  if (lockfile.packages[`${path}${path === '' ? '' : '/'}node_modules/${name}`] !== undefined) return true
  if (path === '') return false
  return resolves(lockfile, path.slice(0, Math.max(0, path.lastIndexOf('/node_modules/'))), name)
}

/** We install with --ignore-scripts, so a package that needs its script would be broken. */
export function checkScripts(lockfile: Lockfile): string[] {
  return Object.entries(lockfile.packages)
    .filter(([, entry]) => entry.hasInstallScript === true)
    .map(([path]) => `package-lock.json: ${path} has an install script; Posthorn takes no such package`)
}

/** What src/ imports is there in an installed package too, and Node's own modules are written with `node:`. */
export function checkPackageImports(files: readonly SourceFile[], manifest: Manifest): string[] {
  return files
    .filter(({ path }) => path.startsWith('src/') && !path.endsWith('.test.ts'))
    .flatMap(({ path, text }) =>
      findImports(text)
        .filter(({ specifier }) => /^[@\w]/.test(specifier) && !specifier.startsWith('node:'))
        .flatMap(({ specifier, line }) => {
          if (isBuiltin(specifier)) return [`${path}:${line}: write node:${specifier}`]
          const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
          if (manifest.dependencies?.[name] !== undefined) return []
          return [`${path}:${line}: imports ${name}, which is not among the dependencies of package.json`]
        }),
    )
}
