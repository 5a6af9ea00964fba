/** Holds files to 500 lines and functions to 100. */
import { measureFunctions } from './functions.ts'
import type { SourceFile } from './source-files.ts'

export const FILE_LINES = 500
export const FUNCTION_LINES = 100

/** Says of each file and function how far it is over its bound. */
export function checkSizes(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => [...checkFile(file), ...checkFunctions(file)])
}

function checkFile({ path, text }: SourceFile): string[] {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
  if (lines <= FILE_LINES) return []
  return [`${path}: ${lines} lines, over ${FILE_LINES}; there are usually two subjects in it`]
}

function checkFunctions({ path, text }: SourceFile): string[] {
  if (path.endsWith('.css')) return []
  const functions = measureFunctions(text)
  // Text between JSX tags is not made of tokens; in .ts our scanner has to be right.
  if (functions === null)
    return path.endsWith('.tsx')
      ? []
      : [`${path}: brackets do not match (or tools/checks/tokens.ts is wrong)`]
  return functions
    .filter(({ lines }) => lines > FUNCTION_LINES)
    .map(
      ({ name, line, lines }) =>
        `${path}:${line}: ${name} has ${lines} lines, over ${FUNCTION_LINES}; cut it into steps`,
    )
}
