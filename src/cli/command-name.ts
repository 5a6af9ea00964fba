import { dirname, join, relative } from 'node:path'

/**
 * How a person types this command in the folder they are in: the launcher's path in a checkout, where nothing puts
 * `posthorn` into PATH, else `posthorn`.
 *
 * @param main The file that runs.
 */
export function commandName(main = process.argv[1] ?? '', folder = process.cwd()): string {
  if (!main.endsWith(join('src', 'cli', 'main.ts'))) return 'posthorn'
  const launcher = join(dirname(main), '..', '..', 'bin', 'posthorn')
  const path = relative(folder, launcher)
  return path.startsWith('..') ? launcher : path
}
